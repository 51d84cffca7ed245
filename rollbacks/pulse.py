"""The companion thread of a running execution: keeps its lease, notices an abort within a second,
and writes what instances report, so that the thread at work may wait for a platform."""

import logging
import math
from types import TracebackType
from typing import Self

from django.conf import settings
from django.db import Error, connection

from dashboard.models import LogLine, Status
from rollbacks import journal, lifecycle
from rollbacks.observation import plain
from rollbacks.platforms.base import InstanceOutcome, OutcomeState, Stopped
from rollbacks.runtime import Runtime

log = logging.getLogger(__name__)

BEAT_SECONDS = 0.5
LOOK_SECONDS = 1.0
FRESH_SECONDS = 1.75  # an abort counts within 2 s


class Pulse:
    """Use as a context manager around everything a worker does for one lease.

    `since` is the monotonic time from before the claim, which may have waited for the database.
    """

    def __init__(self, lease: lifecycle.Lease, runtime: Runtime, *, since: float) -> None:
        self.lease = lease
        self._runtime = runtime
        # Monotonic, so that a worker that was paused past its lease knows it when it wakes.
        self._good_until = since + settings.LEASE_SECONDS
        self._looked = since
        self._stop_reason = ""
        self._ending = runtime.event()
        self._thread = runtime.thread(self._beat, "pulse")
        self._lock = runtime.lock()
        self._flushing = runtime.lock()
        self._step_id: int | None = None
        self._outcomes: dict[str, dict[str, str]] = {}
        self._lines: list[LogLine] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    def end(self) -> None:
        """No more beats: one that comes late would renew a lease that was given back."""
        self._ending.set()
        self._thread.join()

    def checkpoint(self) -> None:
        """Raise Stopped once the execution was aborted or the lease cannot be relied on.

        Waits while the database has not said for too long that nobody has aborted it.
        """
        while True:
            if self._stop_reason:
                raise Stopped(self._stop_reason)
            now = self._runtime.monotonic()
            if now >= self._good_until:
                raise Stopped("the lease has ended")
            if now - self._looked < FRESH_SECONDS:
                return
            self._runtime.sleep(0.05)

    def require_lease(self) -> None:
        """Raise Stopped once the lease cannot be relied on; what was aborted may still be seen."""
        if self._runtime.monotonic() >= self._good_until:
            raise Stopped("the lease has ended")

    def safe_point(self) -> None:
        """Between two calls of a platform: raise Stopped also where this process is to end.

        Not in the midst of one, which would cut off what instances are doing.
        """
        self.checkpoint()
        if self._runtime.is_leaving():
            raise Stopped("this worker ends; another one goes on")

    def wait(self, seconds: float) -> None:
        """Let time pass; raises Stopped as soon as there is reason to."""
        deadline = self._runtime.monotonic() + seconds
        while (left := deadline - self._runtime.monotonic()) > 0:
            self.safe_point()
            self._runtime.sleep(min(0.2, left))
        self.safe_point()

    def control(self, step_id: int, deadline: float) -> "StepControl":
        """What a platform gets to speak through during one step, until that monotonic time."""
        with self._lock:
            self._step_id, self._outcomes, self._lines = step_id, {}, []
        return StepControl(self, step_id, deadline)

    def seconds_until(self, deadline: float) -> float:
        return deadline - self._runtime.monotonic()

    def add(self, step_id: int, instance: str, outcome: InstanceOutcome) -> None:
        with self._lock:
            if step_id == self._step_id:
                self._outcomes[instance] = {
                    "state": outcome.state.value,
                    "message": plain(outcome.message),
                }

    def add_line(self, step_id: int, instance: str, text: str) -> None:
        now = self._runtime.now()
        with self._lock:
            if step_id == self._step_id:
                self._lines += [
                    LogLine(step_id=step_id, instance=instance, at=now, text=line)
                    for line in plain(text).splitlines()
                ]

    def flush(self) -> None:
        """Write what was reported so far; raises LeaseLost.

        Both threads do. One waits for the other's write: what comes after it may end the lease.
        """
        with self._flushing:
            with self._lock:
                step_id, outcomes, lines = self._step_id, self._outcomes, self._lines
                self._outcomes, self._lines = {}, []
            if step_id is None or not (outcomes or lines):
                return
            try:
                journal.write_reports(self.lease, step_id, outcomes, lines)
            except Error:
                self._take_back(step_id, outcomes, lines)
                raise

    def _take_back(
        self, step_id: int, outcomes: dict[str, dict[str, str]], lines: list[LogLine]
    ) -> None:
        """Keep what could not be written for the next time; what came since is newer."""
        with self._lock:
            if step_id == self._step_id:
                self._outcomes = {**outcomes, **self._outcomes}
                self._lines = [*lines, *self._lines]

    def _beat(self) -> None:
        renewed = self._runtime.monotonic()
        try:
            while not self._ending.wait(BEAT_SECONDS):
                try:
                    self.flush()
                    if self._runtime.monotonic() - renewed >= settings.HEARTBEAT_SECONDS:
                        renewed = self._renew()
                    elif self._runtime.monotonic() - self._looked >= LOOK_SECONDS:
                        self._look()
                except lifecycle.LeaseLost as error:
                    self._good_until = -math.inf
                    self._stop_reason = str(error)
                    return
                except Exception:
                    # The lease runs out by itself if the database stays away.
                    log.exception("The pulse of deployment %s missed.", self.lease.deployment_id)
        finally:
            connection.close()

    def _renew(self) -> float:
        began = self._runtime.monotonic()
        self._notice(lifecycle.renew(self.lease, self._runtime.shared_now()))
        self._good_until = began + settings.LEASE_SECONDS
        self._looked = began
        return began

    def _look(self) -> None:
        began = self._runtime.monotonic()
        self._notice(lifecycle.status_of(self.lease))
        self._looked = began

    def _notice(self, status: Status) -> None:
        if status == Status.ABORTING:
            self._stop_reason = "the execution was aborted"


class StepControl:
    """The Control of platforms.base, for one step; deaf once the next step has begun."""

    def __init__(self, pulse: Pulse, step_id: int, deadline: float) -> None:
        self._pulse = pulse
        self._deadline = deadline
        self.lease = pulse.lease
        self.step_id = step_id
        self.states: dict[str, OutcomeState] = {}

    def checkpoint(self) -> None:
        self._pulse.checkpoint()

    def safe_point(self) -> None:
        self._pulse.safe_point()

    def time_left(self) -> float:
        return self._pulse.seconds_until(self._deadline)

    def report(self, instance: str, outcome: InstanceOutcome) -> None:
        self.states[instance] = outcome.state
        self._pulse.add(self.step_id, instance, outcome)

    def log(self, instance: str, text: str) -> None:
        self._pulse.add_line(self.step_id, instance, text)
