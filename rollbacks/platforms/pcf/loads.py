"""What instances take of that which quotas limit. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from typing import Any, Self

# As CAPI spells the sizes of one instance.
MEMORY, LOG_RATE = "memory_in_mb", "log_rate_limit_in_bytes_per_second"
Sizes = Mapping[str, Any]


@dataclass(frozen=True)
class Load:
    """`memory` in MB, `log_rate` in bytes a second; also how much more or less that is."""

    memory: int = 0
    instances: int = 0
    log_rate: int = 0
    routes: int = 0

    def __add__(self, other: Self) -> Self:
        return type(self)(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    def __sub__(self, other: Self) -> Self:
        return type(self)(*(a - b for a, b in zip(astuple(self), astuple(other), strict=True)))


NONE = Load()


def load_of(sizes: Mapping[str, Sizes], counts: Mapping[str, int]) -> Load:
    """Of so many instances of each type. Logs without a limit count for nothing."""
    return total(
        Load(
            memory=count * int(sizes[kind].get(MEMORY) or 0),
            instances=count,
            log_rate=count * max(0, int(sizes[kind].get(LOG_RATE) or 0)),
        )
        for kind, count in counts.items()
    )


def total(loads: Iterable[Load]) -> Load:
    return sum(loads, NONE)
