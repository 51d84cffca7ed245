"""What a target's releases leave behind each other: how they are numbered, marked and found again.

Pure. Something belongs to a series by its tags alone.
"""

import hashlib
from collections.abc import Mapping

from rollbacks.platforms import numbering
from rollbacks.platforms.base import TargetRef

SERIES = "lastgood:series"
RELEASE = "lastgood:release"
VERSION = "lastgood:version"
NUMBER = "lastgood:number"
BEFORE = "lastgood:before"  # number=desired of each one that was active before

LONGEST_TAG = 256
_DIGEST = 16


def series_of(target: TargetRef) -> str:
    """The value of the tag that all of the target have, and nothing else."""
    whole = numbering.whole_name(target)
    if len(whole) <= LONGEST_TAG:
        return whole
    digest = hashlib.sha256(whole.encode()).hexdigest()[:_DIGEST]
    return f"{whole[: LONGEST_TAG - _DIGEST - 1]}-{digest}"


def number_of(tags: Mapping[str, str]) -> int:
    """0 where somebody has changed the tag."""
    text = tags.get(NUMBER, "")
    return int(text) if text.isdecimal() else 0


def token(release: str, series: str) -> str:
    """Makes asking twice for something ask for the same one."""
    return hashlib.sha256(f"{series}\0{release}".encode()).hexdigest()


def tags_of(series: str, release: str, number: int, before: Mapping[int, int]) -> dict[str, str]:
    """What a new one is marked with; `before`: how much capacity each active one had."""
    return {
        SERIES: series,
        RELEASE: release,
        VERSION: numbering.version_of(release),
        NUMBER: str(number),
        BEFORE: _written(before),
    }


def _written(before: Mapping[int, int]) -> str:
    """Newest first; those that a tag has no room for count as none, and are the first to go."""
    text = ""
    for number in sorted(before, reverse=True):
        longer = f"{text} {number}={before[number]}".strip()
        if len(longer) > LONGEST_TAG:
            break
        text = longer
    return text


def before_of(tags: Mapping[str, str]) -> dict[int, int]:
    """How much capacity each one had when this one was made, by its number."""
    pairs = (each.partition("=") for each in tags.get(BEFORE, "").split())
    return {
        int(number): int(count)
        for number, _, count in pairs
        if number.isdecimal() and count.isdecimal()
    }
