"""Time of the foundation: moments in seconds since it began, and what is to happen at them.

Nothing runs by itself. Whoever asks first brings the foundation up to the present, and each thing
that was due meanwhile happens at its own moment, in order.
"""

import heapq
import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class Clock:
    """`now` is the present, or the moment of what is happening just then."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._wall = datetime.now(UTC)
        self._pinned: float | None = None
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    @property
    def now(self) -> float:
        return self._present() if self._pinned is None else self._pinned

    def spelled(self, moment: float) -> str:
        """As the API says it: UTC and whole seconds."""
        return (self._wall + timedelta(seconds=moment)).strftime("%Y-%m-%dT%H:%M:%SZ")

    def later(self, seconds: float, effect: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (self.now + seconds, next(self._order), effect))

    def catch_up(self) -> None:
        """What is due happens."""
        until = self._present()
        while self._agenda and self._agenda[0][0] <= until:
            self._pinned, _, effect = heapq.heappop(self._agenda)
            try:
                effect()
            finally:
                self._pinned = None

    def _present(self) -> float:
        return time.monotonic() - self._began
