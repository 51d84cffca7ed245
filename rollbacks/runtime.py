"""Time and threads as the engine sees them. A simulation brings its own; nothing else should."""

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import copy_context
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from django.utils import timezone


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
    """The machine's own clocks and threads."""

    def now(self) -> datetime:
        """The time of day, which other machines share."""
        return timezone.now()

    def monotonic(self) -> float:
        """Seconds that only this process counts, and that never go back."""
        return time.monotonic()

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
