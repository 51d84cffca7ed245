"""Server-side apply: lay a configuration over an object, and take away what it no longer says."""

from dataclasses import dataclass
from itertools import groupby
from typing import Any

from .fields import Path, difference, dotted, entries, fields_of, ownable
from .owners import Manager, Ownership
from .problems import apply_conflict
from .schema import Field

Json = dict[str, Any]


@dataclass(frozen=True)
class Applied:
    """The object after an apply, and who owns it then."""

    obj: Json
    ownership: Ownership


def apply(
    live: Json, wanted: Json, kind: Field, manager: Manager, *, force: bool, now: str
) -> Applied:
    """Raises Refused if that would change fields of others, unless forced."""
    in_status = manager.subresource == "status"
    wanted = ownable(wanted, status=in_status)
    ownership = Ownership.of(live)
    if not ownership.fields:
        ownership.hold(
            Manager("Update", "before-first-apply", manager.api_version), live, kind, now
        )
    last = ownership.fields.get(manager, set())
    paths = fields_of(wanted, kind)
    merged = merge(live, wanted, kind)
    others = ownership.held(each for each in ownership.fields if each != manager)
    merged = _pruned(merged, kind, (), last, paths | others)
    before, after = ownable(live, status=in_status), ownable(merged, status=in_status)
    change = difference(before, after, kind)
    if not force and (found := ownership.conflicts(manager, change)):
        raise _refused(found)
    ownership.give(manager, paths, change, now)
    return Applied(merged, ownership)


def merge(live: Any, wanted: Any, kind: Field) -> Any:
    """What is wanted laid over what is there; lists told apart by keys keep their other items."""
    if live is None or wanted is None or kind.is_leaf:
        return wanted
    if isinstance(wanted, dict) and isinstance(live, dict):
        over = {key: merge(live.get(key), each, kind.child(key)) for key, each in wanted.items()}
        return {**live, **over}
    if isinstance(wanted, list) and isinstance(live, list):
        return _merged_list(live, wanted, kind)
    return wanted


def _merged_list(live: list[Any], wanted: list[Any], kind: Field) -> list[Any]:
    """The wanted items in their order, the others where they were among them."""
    old = {key: each for key, each, _ in entries(live, kind)}
    new = {key: merge(old.get(key), each, kind.element) for key, each, _ in entries(wanted, kind)}
    ahead = list(new)
    merged: list[Any] = []
    for key, each in old.items():
        if key not in new:
            merged.append(each)
        elif key in ahead:
            until = ahead.index(key) + 1
            merged += [new[name] for name in ahead[:until]]
            ahead = ahead[until:]
    return merged + [new[name] for name in ahead]


def _pruned(value: Any, kind: Field, path: Path, last: set[Path], kept: set[Path]) -> Any:
    """Without what this manager had applied and nobody owns now."""
    if kind.is_leaf or not isinstance(value, dict | list):
        return value
    if not any(each[: len(path)] == path for each in last - kept):
        return value
    left = [
        (key, each, _pruned(each, below, (*path, key), last, kept))
        for key, each, below in entries(value, kind)
        if not _is_abandoned((*path, key), each, below, last, kept)
    ]
    if isinstance(value, dict):
        emptied = {key for key, before, after in left if before and after in ({}, [])}
        return {key[2:]: after for key, _, after in left if key not in emptied}
    return [_with_keys(before, after, kind) for _, before, after in left]


def _is_abandoned(path: Path, value: Any, kind: Field, last: set[Path], kept: set[Path]) -> bool:
    is_whole = kind.is_leaf or not isinstance(value, dict | list) or not kind.is_struct
    is_item = path[-1][0] in "kv"
    if path in last and (is_whole or is_item or not value):
        return not any(each[: len(path)] == path for each in kept)
    return False


def _with_keys(before: Any, after: Any, kind: Field) -> Any:
    if not kind.keys:
        return after
    return {key: before[key] for key in kind.keys if key in before} | after


def _refused(found: list[tuple[Manager, Path]]) -> Exception:
    causes = [
        {
            "reason": "FieldManagerConflict",
            "message": f"conflict with {manager}",
            "field": dotted(path),
        }
        for manager, path in found
    ]
    if len(found) == 1:
        manager, path = found[0]
        said = f"Apply failed with 1 conflict: conflict with {manager}: {dotted(path)}"
        return apply_conflict(said, causes)
    parts = [
        "\n".join([f"conflicts with {manager}:", *(f"- {dotted(path)}" for _, path in listed)])
        for manager, listed in groupby(found, key=lambda each: each[0])
    ]
    said = f"Apply failed with {len(found)} conflicts: " + "\n".join(parts)
    return apply_conflict(said, causes)
