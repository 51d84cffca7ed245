"""How an artifact fares, as tests say it by version: what becomes of its instances in time."""

from dataclasses import dataclass
from enum import Enum

from .timing import Timing


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


class Fates:
    """Which versions do anything else than run."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._told: dict[str, Fate] = {}

    def tell(self, version: str, fate: Fate) -> None:
        self._told[version] = fate

    def of(self, version: str) -> Fate:
        """An image is also known by its tag alone."""
        return self._told.get(version) or self._told.get(version.rpartition(":")[2], Fate.RUNS)

    def look(self, version: str, age: float) -> Look:
        """At an instance that was asked for so many seconds ago."""
        fate, age = self.of(version), age - self._timing.place
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
        rest, wait = age, self._timing.restart
        while True:
            for state, seconds in (
                ("STARTING", self._timing.start),
                ("RUNNING", lives),
                ("CRASHED", wait),
            ):
                if rest < seconds:
                    return Look(state, rest, state == "RUNNING")
                rest -= seconds
            wait = min(wait * 2, self._timing.longest_restart)
