"""The engine's side of a call, for tests: remembers all, and stops where it is told to."""

import threading
import time

from rollbacks.platforms.base import InstanceOutcome, OutcomeState, Stopped


class RecordingControl:
    """`stop_at`: the number of the checkpoint at which it says Stopped, from 1; 0 is never."""

    def __init__(self, stop_at: int = 0) -> None:
        self.stop_at = stop_at
        self.checkpoints = 0
        self.reports: list[tuple[float, str, InstanceOutcome]] = []
        self.lines: list[tuple[str, str]] = []
        self._lock = threading.Lock()

    def checkpoint(self) -> None:
        with self._lock:
            self.checkpoints += 1
            if self.stop_at and self.checkpoints >= self.stop_at:
                raise Stopped("told to")

    def safe_point(self) -> None:
        self.checkpoint()

    def time_left(self) -> float:
        return 60.0

    def report(self, instance: str, outcome: InstanceOutcome) -> None:
        with self._lock:
            self.reports.append((time.monotonic(), instance, outcome))

    def log(self, instance: str, text: str) -> None:
        with self._lock:
            self.lines.append((instance, text))

    @property
    def outcomes(self) -> dict[str, InstanceOutcome]:
        """The last one of each instance."""
        return {instance: outcome for _, instance, outcome in self.reports}

    @property
    def states(self) -> dict[str, OutcomeState]:
        return {instance: outcome.state for instance, outcome in self.outcomes.items()}

    def known_at(self, instance: str) -> float:
        """When the instance's last outcome was reported, monotonic."""
        return max(at for at, name, _ in self.reports if name == instance)
