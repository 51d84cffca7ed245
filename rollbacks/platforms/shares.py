"""How much old and new capacity there is at a share of the way. Pure; rounding is always up."""

import math
from collections.abc import Sequence


def checked(text: str) -> str:
    """What people may write: a number, or a percentage; ValueError for anything else."""
    number, percent = text.removesuffix("%"), text.endswith("%")
    if not number.isdecimal() or not 0 < int(number) <= (100 if percent else 10_000):
        raise ValueError("must be a number of instances, or a percentage like 25%")
    return text


def of(whole: int, text: str) -> int:
    """How many `text` are: a number, or a percentage of the whole."""
    return math.ceil(whole * int(text[:-1]) / 100) if text.endswith("%") else int(text)


def kept(recorded: Sequence[int], count: int, whole: int) -> list[int]:
    """How much each old one keeps while the new one has `count` of `whole`.

    `recorded`: how much each had before, newest first; the newest is the last to shrink.
    """
    if count >= whole:
        return [0] * len(recorded)
    left = math.ceil(sum(recorded) * (whole - count) / whole)
    found = []
    for each in recorded:
        found.append(min(each, left))
        left -= found[-1]
    return found
