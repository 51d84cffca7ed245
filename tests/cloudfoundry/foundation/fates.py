"""How an artifact fares, as tests say it by version: what becomes of its instances in time."""

from dataclasses import dataclass
from enum import Enum

from .timing import Timing

NOTHING = "(nothing to run)"  # the version of an instance whose droplet is gone


class Fate(Enum):
    """What instances of a version do."""

    RUNS = "runs"
    CRASHES = "crashes"  # before it is healthy; tried again, and crashes again
    NEVER_STARTS = "never starts"  # its health check never succeeds: STARTING for ever
    FLAPS = "flaps"  # runs for a while, crashes, and is started again
    IS_NOT_PLACED = "is not placed"  # no cell has room: DOWN
    IS_NOT_READY = "is not ready"  # RUNNING, but its readiness check fails: not routable
    FAILS_STAGING = "fails staging"


@dataclass(frozen=True)
class Look:
    """An instance at one moment."""

    state: str  # RUNNING, CRASHED, STARTING or DOWN
    since: float = 0.0  # for how many seconds
    is_routable: bool = False
    details: str | None = None
    crashes: int = 0
    crashed_ago: float = 0.0  # the latest time


class Fates:
    """Which versions do anything else than run."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._told: dict[tuple[str, int | None], Fate] = {}
        self.forget()

    def forget(self) -> None:
        """Whatever was told: all run."""
        self._told = {(NOTHING, None): Fate.CRASHES}

    def tell(self, version: str, fate: Fate, index: int | None = None) -> None:
        """Of all its instances, or of those with that index."""
        self._told[version, index] = fate

    def of(self, version: str, index: int | None = None) -> Fate:
        """An image is also known by its tag alone."""
        for known in (version, version.rpartition(":")[2]):
            for place in (index, None):
                if fate := self._told.get((known, place)):
                    return fate
        return Fate.RUNS

    def look(self, version: str, index: int, age: float) -> Look:
        """At an instance that was asked for so many seconds ago."""
        fate, age = self.of(version, index), age - self._timing.place
        if age < 0:
            return Look("DOWN")
        if fate == Fate.IS_NOT_PLACED:
            return Look("DOWN", age, details="insufficient resources: memory")
        if fate == Fate.NEVER_STARTS or age < self._timing.start:
            return Look("STARTING", age)
        if fate in (Fate.CRASHES, Fate.FLAPS):
            return self._restarted(age, self._timing.live if fate == Fate.FLAPS else 0.0)
        return Look("RUNNING", age - self._timing.start, fate != Fate.IS_NOT_READY)

    def _restarted(self, age: float, lives: float) -> Look:
        """Starts, lives, crashes, waits; each wait is longer than the one before."""
        left, wait, crashes, before = age, self._timing.restart, 0, 0.0
        while left >= self._timing.start + lives + wait:
            left -= self._timing.start + lives + wait
            crashes, before = crashes + 1, wait
            wait = min(wait * 2, self._timing.longest_restart)
        ago = left + before
        if left < self._timing.start:
            return Look("STARTING", left, crashes=crashes, crashed_ago=ago)
        left -= self._timing.start
        if left < lives:
            return Look("RUNNING", left, True, crashes=crashes, crashed_ago=ago)
        left -= lives
        return Look("CRASHED", left, crashes=crashes + 1, crashed_ago=left)
