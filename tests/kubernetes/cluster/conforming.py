"""What is left of an object when it is read as its type: no unknown fields, no empty ones.

The real server reads into structs and writes them out again, which drops what is unknown, null,
or empty where the type omits it.
"""

from dataclasses import dataclass, field
from typing import Any

from .problems import Refused, bad, unprocessable
from .resources import Resource
from .schema import Field

Json = dict[str, Any]

_KINDS: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "bool": (bool,),
    "num": (int, float),
    "intstr": (int, str),
    "quantity": (int, float, str),
    "any": (object,),
}
_SPELLED = {"str": "string", "int": "int32", "bool": "bool", "num": "float64"}
# As the library that merges applied configurations calls them.
_NUMBER = "numeric (int or float)"
_TYPED = {"str": "string", "int": _NUMBER, "num": _NUMBER, "bool": "boolean", "list": "list"}
_OMITTED_IF_FALSE = {
    "paused",
    "hostNetwork",
    "hostPID",
    "hostIPC",
    "stdin",
    "stdinOnce",
    "tty",
    "publishNotReadyAddresses",
    "readOnly",
}
_KEPT_IF_EMPTY = {"containers", "name", "message", "reason", "rules", "spec", "host"}
_OMITTED_IF_ZERO = {"minReadySeconds", "initialDelaySeconds", "nodePort", "hostPort"}


@dataclass
class Conformed:
    """The object as it was understood, and the fields that were not."""

    obj: Json
    unknown: list[str] = field(default_factory=list)


def conform(obj: Json, resource: Resource) -> Conformed:
    """Raises Refused for a value of the wrong type."""
    found = Conformed({})
    read = _Reader(resource, found.unknown)
    found.obj = read.value(obj, resource.schema, "")
    return found


def enforce(found: Conformed, resource: Resource, strictness: str, *, is_patch: bool) -> list[str]:
    """The warnings; raises Refused if unknown fields are to be refused."""
    said = [f'unknown field "{path}"' for path in found.unknown]
    if strictness == "Strict" and said:
        listed = "strict decoding error: " + ", ".join(said)
        raise unprocessable(listed) if is_patch else _unreadable(resource, listed)
    return said if strictness == "Warn" else []


def _unreadable(resource: Resource, why: str) -> Refused:
    kind, version = resource.kind, resource.version
    return bad(f'{kind} in version "{version}" cannot be handled as a {kind}: {why}')


class Mistaken(Refused):
    """A value that is not of its field's type."""

    def __init__(self, resource: Resource, value: Any, kind: Field, path: str, of: str) -> None:
        kinds = {bool: "bool", int: "number", float: "number", str: "string", list: "array"}
        self.path = path
        self.got = kinds.get(type(value), "object")
        self.wanted = _TYPED.get(kind.type if kind.shape == "one" else kind.shape, "map")
        spelled = _SPELLED.get(kind.type, kind.type)
        said = f"cannot unmarshal {self.got} into Go struct field {of}.{path} of type {spelled}"
        refused = _unreadable(resource, f"json: {said}")
        super().__init__(refused.code, refused.status["reason"], refused.status["message"])


class _Reader:
    """Reads values as their types, and remembers what was unknown."""

    def __init__(self, resource: Resource, unknown: list[str]) -> None:
        self._resource = resource
        self._unknown = unknown

    def value(self, value: Any, kind: Field, path: str, of: str = "") -> Any:
        if kind.shape == "list":
            self._expect(value, list, kind, path, of)
            return [
                self.value(each, kind.element, f"{path}[{index}]", of)
                for index, each in enumerate(value)
            ]
        if kind.shape == "map":
            self._expect(value, dict, kind, path, of)
            return {key: self.value(each, kind.element, path, of) for key, each in value.items()}
        if kind.is_struct:
            self._expect(value, dict, kind, path, of)
            return self._struct(value, kind, path)
        if not isinstance(value, _KINDS[kind.type]) or _is_bool_for_number(value, kind):
            raise Mistaken(self._resource, value, kind, path, of)
        return value

    def _struct(self, value: Json, kind: Field, path: str) -> Json:
        read: Json = {}
        for key, each in value.items():
            below = f"{path}.{key}".lstrip(".")
            if not kind.has(key):
                self._unknown.append(below)
            elif each is not None:
                understood = self.value(each, kind.child(key), below, kind.type)
                if not _is_omitted(key, understood, kind.child(key)):
                    read[key] = understood
        return read

    def _expect(self, value: Any, wanted: type, kind: Field, path: str, of: str) -> None:
        if not isinstance(value, wanted):
            raise Mistaken(self._resource, value, kind, path, of)


def _is_bool_for_number(value: Any, kind: Field) -> bool:
    return isinstance(value, bool) and kind.type not in ("bool", "any")


def _is_omitted(key: str, value: Any, kind: Field) -> bool:
    if value is False:
        return key in _OMITTED_IF_FALSE
    if value == 0 and isinstance(value, int):
        return key in _OMITTED_IF_ZERO
    return value in ("", [], {}) and not kind.is_struct and key not in _KEPT_IF_EMPTY
