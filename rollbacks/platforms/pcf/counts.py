"""How many instances of each type of process old and new apps have at a share of the way. Pure.

What people write is about the process `web`, or the largest where there is none; the other types
follow at the same share.
"""

import math
from collections.abc import Mapping, Sequence

from rollbacks.platforms import shares
from rollbacks.platforms.pcf.apps import WEB

Counts = Mapping[str, int]
FIRST = 2  # instances of web, where nothing else is said


def desired(written: Counts, running: Counts, *, match_running: bool) -> dict[str, int]:
    """What the new app is to have in the end."""
    if match_running and any(running.values()):
        return {**written, **running}
    return {WEB: FIRST, **written}


def main_of(planned: Counts) -> str:
    return WEB if planned.get(WEB) else max(planned, key=lambda kind: planned[kind], default=WEB)


def wanted(planned: Counts, text: str) -> dict[str, int]:
    """How many `text` are of each type: a number, or a percentage."""
    if text.endswith("%"):
        return {kind: shares.of(count, text) for kind, count in planned.items()}
    main = main_of(planned)
    whole, number = planned.get(main, 0), int(text)
    return {
        kind: number if kind == main else math.ceil(count * min(1, number / max(whole, 1)))
        for kind, count in planned.items()
    }


def is_whole(new: Counts, planned: Counts) -> bool:
    return all(new.get(kind, 0) >= count for kind, count in planned.items())


def kept(recorded: Sequence[Counts], new: Counts, planned: Counts) -> list[dict[str, int]]:
    """How many each old app keeps while the new one has `new` of `planned`.

    `recorded`: how many each had before, newest first; the newest is the last to shrink.
    """
    main = main_of(planned)
    found: list[dict[str, int]] = [{} for _ in recorded]
    for kind in {kind for each in recorded for kind in each}:
        own = kind if planned.get(kind) else main  # a type that the new app lacks goes with web
        before = [each.get(kind, 0) for each in recorded]
        left = shares.kept(before, new.get(own, 0), planned.get(own, 0))
        for each, count in zip(found, left, strict=True):
            each[kind] = count
    return found


def limited(recorded: Sequence[Counts], most: int) -> list[dict[str, int]]:
    """How many each old app keeps where all of them together may have `most` of web."""
    every = {kind for each in recorded for kind in each}
    whole = {kind: sum(each.get(kind, 0) for each in recorded) for kind in every}
    total = whole.get(main_of(whole), 0)
    gone = {
        kind: count - math.ceil(count * min(1, most / max(total, 1)))
        for kind, count in whole.items()
    }
    return kept(recorded, gone, whole)


def text_of(counts: Counts) -> str:
    """As people read it: 3, or web 3, worker 1."""
    if set(counts) <= {WEB}:
        return str(counts.get(WEB, 0))
    return ", ".join(f"{kind} {count}" for kind, count in sorted(counts.items()))
