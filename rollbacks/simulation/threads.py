"""The engine's runtime in a simulation: its clocks, locks and threads are the scheduler's."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from types import TracebackType
from typing import Any

from rollbacks.runtime import Event, Runtime, Thread
from rollbacks.simulation.scheduler import SECOND, Process, Scheduler, Task


class SimulatedRuntime(Runtime):
    """What the engine in one simulated process takes for the machine."""

    def __init__(self, scheduler: Scheduler, process: Process) -> None:
        super().__init__()
        self._scheduler = scheduler
        self._process = process

    def is_leaving(self) -> bool:
        return self._process.is_leaving

    def now(self) -> datetime:
        return self._scheduler.now()

    def shared_now(self) -> datetime:
        return self._scheduler.now()

    def uniform(self, low: float, high: float) -> float:
        return self._scheduler.chance.uniform(low, high)

    def monotonic(self) -> float:
        return self._scheduler.time / SECOND

    def sleep(self, seconds: float) -> None:
        self._scheduler.sleep(seconds)

    def lock(self) -> AbstractContextManager[Any]:
        return _Lock(self._scheduler)

    def event(self) -> Event:
        return _Event(self._scheduler)

    def thread(self, target: Callable[[], None], name: str) -> Thread:
        return _Thread(self._scheduler, self._process, target, name)


class _Lock:
    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._is_held = False

    def __enter__(self) -> None:
        while self._is_held and self._scheduler.wait(lambda: not self._is_held):
            pass
        self._is_held = True

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_held = False


class _Event:
    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._is_set = False

    def set(self) -> None:
        self._is_set = True

    def wait(self, timeout: float | None = None) -> bool:
        if not self._is_set:
            self._scheduler.wait(lambda: self._is_set, timeout)
        return self._is_set


class _Thread:
    def __init__(
        self, scheduler: Scheduler, process: Process, target: Callable[[], None], name: str
    ) -> None:
        self._scheduler = scheduler
        self._process = process
        self._target = target
        self._name = name
        self._task: Task | None = None

    def start(self) -> None:
        self._task = self._scheduler.begin(self._process, self._name, self._target)

    def join(self, timeout: float | None = None) -> None:
        task = self._task
        if task is not None and not task.is_done:
            self._scheduler.wait(lambda: task.is_done, timeout)
