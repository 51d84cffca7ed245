"""Sets of fields: which an object has, which a write changed, and how the API spells them."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from .schema import Field

Json = dict[str, Any]
Path = tuple[str, ...]

_SYSTEM = {
    "uid",
    "name",
    "namespace",
    "creationTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
}


def ownable(obj: Json, *, status: bool = False) -> Json:
    """The part of an object that has owners: the status through its own endpoint, or all else."""
    metadata = {key: value for key, value in obj["metadata"].items() if key not in _SYSTEM}
    left_out = {"apiVersion", "kind", "metadata", "spec" if status else "status"}
    rest = {key: value for key, value in obj.items() if key not in left_out}
    return {**rest, "metadata": metadata} if metadata else rest


def entries(value: Any, kind: Field) -> Iterator[tuple[str, Any, Field]]:
    """What a struct, a map or a list told apart by keys consists of, by its element of a path."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield f"f:{key}", each, kind.child(key)
    elif kind.keys:
        for each in value or []:
            yield item_key(each, kind), each, kind.element
    else:
        for each in value or []:
            yield "v:" + _compact(each), each, kind.element


def item_key(item: Json, kind: Field) -> str:
    """As in `k:{"name":"web"}`."""
    defaults = kind.defaults()
    found = {key: item.get(key, defaults.get(key)) for key in kind.keys}
    return "k:" + _compact({key: value for key, value in found.items() if value is not None})


def fields_of(value: Any, kind: Field, path: Path = ()) -> set[Path]:
    """The fields that applying this value takes."""
    if kind.is_leaf or not isinstance(value, dict | list):
        return {path}
    found = set[Path]()
    for key, each, below in entries(value, kind):
        if kind.shape != "one" or each is None or each == {}:
            found.add((*path, key))
        found |= fields_of(each, below, (*path, key))
    return found


@dataclass
class Difference:
    """Paths that a write added, changed and removed."""

    added: set[Path] = field(default_factory=set)
    modified: set[Path] = field(default_factory=set)
    removed: set[Path] = field(default_factory=set)

    @property
    def written(self) -> set[Path]:
        return self.added | self.modified


def difference(old: Any, new: Any, kind: Field) -> Difference:
    found = Difference()
    _compare(old, new, kind, (), found)
    return found


def _compare(old: Any, new: Any, kind: Field, path: Path, found: Difference) -> None:
    if old == new:
        return
    if kind.is_leaf or not (_has_parts(old) or _has_parts(new)):
        _note(old, new, path, found)
        return
    before = {key: (each, below) for key, each, below in entries(old, kind)} if old else {}
    after = {key: (each, below) for key, each, below in entries(new, kind)} if new else {}
    for key in before | after:
        below = (after.get(key) or before[key])[1]
        values = (before.get(key, (None,))[0], after.get(key, (None,))[0])
        _compare(*values, below, (*path, key), found)
    if old is None or new is None:
        _note(old, new, path, found)


def _has_parts(value: Any) -> bool:
    return isinstance(value, dict | list) and bool(value)


def _note(old: Any, new: Any, path: Path, found: Difference) -> None:
    if not path:
        return
    if old is None:
        found.added.add(path)
    elif new is None:
        found.removed.add(path)
    else:
        found.modified.add(path)


def encoded(paths: Iterable[Path]) -> Json:
    """As `fieldsV1`."""
    tree: Json = {}
    for path in sorted(paths):
        node = tree
        for element in path:
            node = node.setdefault(element, {})
        node["."] = {}
    return _without_needless_dots(tree)


def _without_needless_dots(tree: Json) -> Json:
    if tree.keys() == {"."}:
        return {}
    return {
        key: value if key == "." else _without_needless_dots(value) for key, value in tree.items()
    }


def decoded(tree: Json, path: Path = ()) -> set[Path]:
    found = {path} if path and (not tree or "." in tree) else set[Path]()
    for key, below in tree.items():
        if key != ".":
            found |= decoded(below, (*path, key))
    return found


def dotted(path: Path) -> str:
    """As in `.spec.template.spec.containers[name="web"].image`."""
    return "".join(_SPELLED[element[0]](element[2:]) for element in path)


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True)


def _spelled_key(text: str) -> str:
    return "[" + ",".join(f"{key}={_compact(each)}" for key, each in json.loads(text).items()) + "]"


_SPELLED: dict[str, Callable[[str], str]] = {
    "f": lambda text: f".{text}",
    "k": _spelled_key,
    "v": lambda text: f"[={text}]",
}
