"""One thread that does what is due; everything in the cloud moves here or in a client's request."""

import heapq
import itertools
import threading
from collections.abc import Callable

from .clock import Clock

Act = Callable[[], None]


class Loop:
    """Runs from start() to close(). Each act has the lock; an idle loop sleeps without end."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self._changed = threading.Condition(self.lock)
        self._later: list[tuple[float, int, Act]] = []
        self._soon: dict[Act, None] = {}
        self._order = itertools.count()
        self._is_closed = False
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Raises what went wrong in an act: a test must not pass by accident."""
        with self.lock:
            self._is_closed = True
            self._changed.notify_all()
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def after(self, seconds: float, act: Act) -> None:
        with self.lock:
            heapq.heappush(self._later, (self.clock.now() + seconds, next(self._order), act))
            self._changed.notify_all()

    def soon(self, act: Act) -> None:
        """Once, however often it is asked for before it is done."""
        with self.lock:
            self._soon[act] = None
            self._changed.notify_all()

    def skip(self, seconds: float) -> None:
        """All that is due until then is done next."""
        with self.lock:
            self.clock.skip(seconds)
            self._changed.notify_all()

    def _run(self) -> None:
        with self.lock:
            while not self._is_closed:
                try:
                    self._work()
                except Exception as error:
                    self._failure = error
                    return
                if not self._soon:
                    self._changed.wait(self._seconds_left())

    def _work(self) -> None:
        while self._later and self._later[0][0] <= self.clock.now():
            heapq.heappop(self._later)[2]()
        ready, self._soon = self._soon, {}
        for act in ready:
            act()

    def _seconds_left(self) -> float | None:
        return max(self._later[0][0] - self.clock.now(), 0) if self._later else None
