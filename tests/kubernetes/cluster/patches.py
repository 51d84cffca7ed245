"""The three patches that are not an apply: JSON patch, merge patch, strategic merge patch."""

import json
from copy import deepcopy
from typing import Any

from .problems import Refused, bad, unprocessable
from .schema import Field

Json = dict[str, Any]
_DIRECTIVES = ("$patch", "$retainKeys", "$setElementOrder/", "$deleteFromPrimitiveList/")


def merge_patch(value: Any, patch: Any) -> Any:
    """RFC 7396: null removes, lists are replaced whole."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(value) if isinstance(value, dict) else {}
    for key, each in patch.items():
        if each is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), each)
    return merged


def json_patch(value: Any, operations: Any) -> Any:
    """RFC 6902: all of it, or a refusal that says which operation did not fit."""
    if not isinstance(operations, list):
        mistaken = "json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"
        raise bad(f"error decoding patch: {mistaken}")
    patched = deepcopy(value)
    for operation in operations:
        patched = _operated(patched, operation)
    return patched


def _operated(document: Any, operation: Json) -> Any:
    name, path = operation.get("op", ""), operation.get("path", "")
    match name:
        case "test":
            _test(document, path, operation.get("value"))
        case "add" | "replace" | "remove":
            document = _edit(document, name, path, operation.get("value"))
        case "move" | "copy":
            moved = deepcopy(_look(document, operation["from"]))
            if name == "move":
                document = _edit(document, "remove", operation["from"], None)
            document = _edit(document, "add", path, moved)
        case _:
            raise _misfit(f"Unexpected kind: {name}")
    return document


def _test(document: Any, path: str, expected: Any) -> None:
    try:
        found = _look(document, path)
    except Refused:
        if expected is not None:
            raise
        return
    if found != expected:
        raise _misfit(f"testing value {path} failed: test failed")


def _look(document: Any, path: str) -> Any:
    for step in _steps(path):
        try:
            document = document[int(step) if isinstance(document, list) else step]
        except (KeyError, IndexError, ValueError, TypeError):
            raise _misfit(f"unable to get nonexistent key: {step}: missing value") from None
    return document


def _edit(document: Any, name: str, path: str, value: Any) -> Any:
    steps = _steps(path)
    if not steps:
        return value
    holder, last = _look(document, _joined(steps[:-1])), steps[-1]
    if isinstance(holder, list):
        _edit_list(holder, name, last, value, path)
    elif isinstance(holder, dict):
        if name != "add" and last not in holder:
            raise _misfit(
                f"{name} operation does not apply: doc is missing key: {path}: missing value"
            )
        if name == "remove":
            del holder[last]
        else:
            holder[last] = value
    else:
        raise _misfit(
            f"{name} operation does not apply: doc is missing path: {path}: missing value"
        )
    return document


def _edit_list(items: list[Any], name: str, step: str, value: Any, path: str) -> None:
    index = len(items) if step == "-" else int(step) if step.isdecimal() else len(items) + 1
    if index > len(items) - (name != "add"):
        raise _misfit(
            f"{name} operation does not apply: doc is missing path: {path}: missing value"
        )
    if name == "add":
        items.insert(index, value)
    elif name == "remove":
        del items[index]
    else:
        items[index] = value


def _steps(path: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in path.split("/")[1:]]


def _joined(steps: list[str]) -> str:
    return "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)


def _misfit(why: str) -> Refused:
    refused = unprocessable("the server rejected our request due to an error in our request")
    refused.add_note(why)
    return refused


def strategic_patch(value: Any, patch: Any, kind: Field) -> Any:
    """As merge patch, but lists with a merge key keep the items that the patch does not name."""
    if isinstance(patch, dict):
        return _strategic_map(value if isinstance(value, dict) else {}, patch, kind)
    return patch


def _strategic_map(value: Json, patch: Json, kind: Field) -> Json | None:
    directive = patch.get("$patch")
    content = {key: each for key, each in patch.items() if not key.startswith(_DIRECTIVES)}
    if directive == "delete":
        return {}
    merged: Json = {} if directive == "replace" else dict(value)
    if (retained := patch.get("$retainKeys")) is not None:
        merged = {key: each for key, each in merged.items() if key in retained}
    for key, each in content.items():
        below = kind.child(key)
        if each is None:
            merged.pop(key, None)
        elif isinstance(each, list) and below.merge is not None:
            merged[key] = _strategic_list(merged.get(key) or [], each, below)
        else:
            merged[key] = strategic_patch(merged.get(key), each, below)
    return _in_order(_without_primitives(merged, patch), patch, kind)


def _strategic_list(items: list[Any], patch: list[Any], kind: Field) -> list[Any]:
    if {"$patch": "replace"} in patch:
        return [each for each in patch if each != {"$patch": "replace"}]
    if not kind.merge:
        return items + [each for each in patch if each not in items]
    merged = list(items)
    for each in patch:
        if kind.merge not in each:
            said = f"map: {json.dumps(each)} does not contain declared merge key: {kind.merge}"
            raise Refused(400, "BadRequest", said)
        _place(merged, each, kind)
    return merged


def _place(items: list[Json], patch: Json, kind: Field) -> None:
    """Merge one item of a patch into the items it belongs to; new ones go last."""
    assert kind.merge
    at = [i for i, each in enumerate(items) if each.get(kind.merge) == patch[kind.merge]]
    if patch.get("$patch") == "delete":
        for index in reversed(at):
            del items[index]
    elif at:
        items[at[0]] = strategic_patch(items[at[0]], patch, kind.element)
    else:
        items.append(strategic_patch({}, patch, kind.element))


def _without_primitives(merged: Json, patch: Json) -> Json:
    for key, gone in patch.items():
        if key.startswith("$deleteFromPrimitiveList/"):
            name = key.partition("/")[2]
            merged[name] = [each for each in merged.get(name) or [] if each not in gone]
    return merged


def _in_order(merged: Json, patch: Json, kind: Field) -> Json:
    for key, order in patch.items():
        if not key.startswith("$setElementOrder/"):
            continue
        name = key.partition("/")[2]
        merge = kind.child(name).merge
        wanted = [each.get(merge) if merge else each for each in order]
        items = merged.get(name) or []
        place = {each: index for index, each in enumerate(wanted)}
        listed = iter(
            sorted(
                (each for each in items if _name(each, merge) in place),
                key=lambda each: place[_name(each, merge)],
            )
        )
        merged[name] = [next(listed) if _name(each, merge) in place else each for each in items]
    return merged


def _name(item: Any, merge: str | None) -> Any:
    return item.get(merge) if merge else item
