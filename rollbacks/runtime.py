"""Time, chance and threads as the engine sees them. A simulation brings its own; nothing else
should."""

import random
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import copy_context
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from django.db import connection
from django.utils import timezone

# Linux's monotonic clock stands still while a machine is suspended; this one does not.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Event(Protocol):
    """What one thread waits for and another one sets."""

    def set(self) -> None: ...

    def wait(self, timeout: float | None = None) -> bool:
        """Whether it was set, at once or before the time was over."""


class Thread(Protocol):
    """What runs beside the one who started it."""

    def start(self) -> None: ...

    def join(self, timeout: float | None = None) -> None: ...


class Runtime:
    """The machine's own clocks and threads, and whether this process is about to end."""

    def __init__(self) -> None:
        self._leaving = threading.Event()

    def leave(self) -> None:
        """This process was asked to end: what it works on is for another one to go on with."""
        self._leaving.set()

    def is_leaving(self) -> bool:
        return self._leaving.is_set()

    def now(self) -> datetime:
        """The time of day by this machine's clock."""
        return timezone.now()

    def shared_now(self) -> datetime:
        """The time of day by the one clock that all workers share, the database's: leases go by it.

        SQLite has none of its own, and no second machine either.
        """
        if connection.vendor != "postgresql":
            return self.now()
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            shared: datetime = cursor.fetchone()[0]
        return shared

    def uniform(self, low: float, high: float) -> float:
        """Any number between the two, so that many who wait do not all come back at once."""
        return random.uniform(low, high)  # noqa: S311

    def monotonic(self) -> float:
        """Seconds that never go back, and that pass while the process or the machine is paused."""
        return time.clock_gettime(_CLOCK)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def lock(self) -> AbstractContextManager[Any]:
        return threading.Lock()

    def event(self) -> Event:
        return threading.Event()

    def thread(self, target: Callable[[], None], name: str) -> Thread:
        """Not started yet; it logs about what its maker logs about."""
        return threading.Thread(target=partial(copy_context().run, target), name=name, daemon=True)


MACHINE = Runtime()
