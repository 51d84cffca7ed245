"""How a container fares, by its image's tag and its age alone.

missing…   cannot be pulled
crash…     runs, ends with 1, is started again and again
unready…   runs, but is never ready
slow…      is ready after a while
any other  is ready at once
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .. import clock

Json = dict[str, Any]
LONGEST_BACKOFF = 60.0


@dataclass
class Timing:
    """Seconds; a test may change them while the cluster runs."""

    ready: float = 0.05
    slow: float = 2.0
    pull: float = 0.1  # between failing to pull and backing off
    crash: float = 0.05  # between starting and ending
    backoff: float = 1.0  # before the second restart; then twice as long each time


@dataclass(frozen=True)
class Fate:
    """A container's status, and the age at which it is another (None: never)."""

    status: Json
    until: float | None = None

    @property
    def is_ready(self) -> bool:
        return bool(self.status["ready"])

    @property
    def has_started(self) -> bool:
        return "running" in self.status["state"] or self.status["restartCount"] > 0

    @property
    def waiting(self) -> Json:
        """Why it waits."""
        waiting: Json = self.status["state"].get("waiting", {})
        return waiting


@dataclass(frozen=True)
class Container:
    """What a container's fate depends on."""

    spec: Json
    age: float
    born: datetime
    timing: Timing
    label: str  # as messages name it

    @property
    def image(self) -> str:
        return str(self.spec.get("image", ""))

    def at(self, age: float) -> str:
        return clock.spelled(self.born + timedelta(seconds=age))


def fate(container: Container) -> Fate:
    tag = container.image.rpartition(":")[2]
    for prefix, fare in _FATES.items():
        if tag.startswith(prefix):
            return fare(container)
    return _comes_up(container, container.timing.ready)


def _comes_up(container: Container, ready_at: float | None) -> Fate:
    starts_at = (
        container.timing.ready if ready_at is None else min(container.timing.ready, ready_at)
    )
    if container.age < starts_at:
        return Fate(_waiting(container, "ContainerCreating"), starts_at)
    is_ready = ready_at is not None and container.age >= ready_at
    status = _status(container, {"running": {"startedAt": container.at(starts_at)}}, is_ready)
    return Fate(status, None if is_ready else ready_at)


def _never_ready(container: Container) -> Fate:
    return _comes_up(container, None)


def _slow(container: Container) -> Fate:
    return _comes_up(container, container.timing.slow)


def _missing(container: Container) -> Fate:
    fails_at = container.timing.ready
    backs_off_at = fails_at + container.timing.pull
    image = container.image
    if container.age < fails_at:
        return Fate(_waiting(container, "ContainerCreating"), fails_at)
    if container.age < backs_off_at:
        said = f'failed to pull and unpack image "{image}": {image}: not found'
        return Fate(_waiting(container, "ErrImagePull", said), backs_off_at)
    return Fate(_waiting(container, "ImagePullBackOff", f'Back-off pulling image "{image}"'))


def _crashing(container: Container) -> Fate:
    """Started at once after the first end, and after a growing while after every other."""
    timing = container.timing
    starts_at, pause, count = timing.ready, 0.0, 0
    last: Json = {}
    if container.age < starts_at:
        return Fate(_waiting(container, "ContainerCreating"), starts_at)
    while True:
        ends_at = starts_at + timing.crash
        if container.age < ends_at:
            running = {"running": {"startedAt": container.at(starts_at)}}
            return Fate(_status(container, running, False, last, count), ends_at)
        last = {"terminated": _ended(container, starts_at, ends_at)}
        starts_at = ends_at + pause
        if container.age < starts_at:
            said = f"back-off {max(round(pause), 1)}s restarting failed container={container.label}"
            waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": said}}
            return Fate(_status(container, waiting, False, last, count), starts_at)
        pause = min(pause * 2, LONGEST_BACKOFF) or timing.backoff
        count += 1


_FATES: dict[str, Callable[[Container], Fate]] = {
    "missing": _missing,
    "crash": _crashing,
    "unready": _never_ready,
    "slow": _slow,
}


def _ended(container: Container, starts_at: float, ends_at: float) -> Json:
    return {
        "exitCode": 1,
        "reason": "Error",
        "startedAt": container.at(starts_at),
        "finishedAt": container.at(ends_at),
    }


def _waiting(container: Container, reason: str, message: str = "") -> Json:
    waiting = {"reason": reason, **({"message": message} if message else {})}
    return _status(container, {"waiting": waiting}, False)


def _status(
    container: Container, state: Json, is_ready: bool, last: Json | None = None, count: int = 0
) -> Json:
    is_up = "running" in state
    return {
        "name": container.spec["name"],
        "image": container.image,
        "imageID": container.image if is_up or count else "",
        "state": state,
        "lastState": last or {},
        "ready": is_ready,
        "started": is_up,
        "restartCount": count,
    }
