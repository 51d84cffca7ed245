"""What releases side by side are called, how they are numbered, and which may go. Pure."""

from collections.abc import Iterable, Sequence

from rollbacks.platforms.base import TargetRef

KEPT = 3


def whole_name(target: TargetRef) -> str:
    """What tells one target from every other."""
    return f"{target.application}/{target.service}/{target.environment}/{target.infrastructure}"


def filled(name: str, target: TargetRef) -> str:
    """The name with application, service and environment put in."""
    for part in ("application", "service", "environment"):
        name = name.replace(f"{{{part}}}", getattr(target, part).replace(" ", "_"))
    return name


def version_of(release: str) -> str:
    """The version of the artifact in a release's name."""
    return release.partition("-")[2]


def next_number(numbers: Iterable[int]) -> int:
    return max(numbers, default=0) + 1


def number_in(key: str, name: str) -> int | None:
    """The number at the end of a name that could be of the series."""
    start, _, number = name.rpartition("__")
    return int(number) if start == key and number.isdecimal() else None


def superfluous(empty: Sequence[int], kept: int = KEPT) -> list[int]:
    """Which of those without capacity are deleted: all but the newest few."""
    return sorted(empty, reverse=True)[kept:]
