"""The cloud's time: the real one, but a test may let it stand still, or skip some of it.

So a test sees what lasts a moment however slow its machine is, and need not wait for what is over.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Clock:
    """Seconds, rising."""

    def __init__(self) -> None:
        self._ahead = 0.0  # of the real time
        self._stands_at: float | None = None

    def now(self) -> float:
        return time.monotonic() + self._ahead if self._stands_at is None else self._stands_at

    def skip(self, seconds: float) -> None:
        self._ahead += seconds
        if self._stands_at is not None:
            self._stands_at += seconds

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        self._stands_at = self.now()
        try:
            yield
        finally:
            self._ahead, self._stands_at = self._stands_at - time.monotonic(), None
