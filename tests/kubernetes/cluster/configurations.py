"""What a server-side apply sends: of the right kind and name, and typed in every field."""

from typing import Any

from .conforming import Mistaken, conform
from .fields import dotted, entries
from .problems import Refused, bad
from .resources import Place
from .schema import Field

Json = dict[str, Any]


def read(wanted: Any, place: Place) -> Json:
    """The configuration as it was understood; raises Refused."""
    if not isinstance(wanted, dict):
        raise bad("error decoding YAML: the body is not an object")
    _check_identity(wanted, place)
    namespace = wanted["metadata"].get("namespace", "")
    try:
        found = conform(wanted, place.resource)
    except Mistaken as mistaken:
        got = f"expected {mistaken.wanted}, got {mistaken.got}"
        raise _untyped(place, namespace, f".{mistaken.path}: {got}") from None
    if found.unknown:
        raise _untyped(place, namespace, f".{found.unknown[0]}: field not declared in schema")
    if repeated := _repeated(found.obj, place.resource.schema, ""):
        raise _untyped(place, namespace, repeated)
    return found.obj


def _check_identity(wanted: Json, place: Place) -> None:
    kind = (wanted.get("apiVersion", ""), wanted.get("kind", ""))
    if kind != (place.resource.api_version, place.resource.kind) and not place.subresource:
        raise bad(f"invalid object type: {kind[0]}, Kind={kind[1]}")
    metadata = wanted.setdefault("metadata", {})
    if metadata.get("managedFields"):
        raise bad("metadata.managedFields must be nil")
    name = metadata.setdefault("name", place.name)
    if name != place.name:
        said = f"the name of the object ({name}) does not match the name on the URL ({place.name})"
        raise bad(said)
    if metadata.get("namespace", place.namespace) != place.namespace:
        raise bad(
            "the namespace of the provided object does not match the namespace sent on the request"
        )


def _repeated(value: Any, kind: Field, path: str) -> str:
    """What is said of the first list in which a key is there twice."""
    if kind.is_leaf or not isinstance(value, dict | list):
        return ""
    found = list(entries(value, kind))
    keys = [key for key, _, _ in found]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice is not None:
        return f"{path}: duplicate entries for key {dotted((twice,))}"
    parts = (_repeated(each, below, path + dotted((key,))) for key, each, below in found)
    return next(filter(None, parts), "")


def _untyped(place: Place, namespace: str, why: str) -> Refused:
    resource = place.resource
    where = f"{namespace}/{place.name}; {resource.api_version}, Kind={resource.kind}"
    return Refused(500, "", f"failed to create typed patch object ({where}): {why}")
