"""Simulated processes and threads, of which exactly one runs at a time, and simulated time.

Each task is a real thread that has the baton or waits for it, and gives it back only at points;
who gets it next is drawn from the seed. Time passes only while nobody is ready, so that a schedule
of minutes takes milliseconds.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from math import ceil
from random import Random
from threading import Lock, Thread
from typing import NamedTuple

from django.db import Error

BEGINS = datetime(2026, 1, 5, 9, tzinfo=UTC)
SECOND = 1_000_000
FOREVER = 10**15


class Crash(BaseException):
    """The process is gone: no handler of Exception sees it."""


class Entry(NamedTuple):
    """One line of what happened: microseconds since the beginning, who, what."""

    at: int
    who: str
    what: str

    def __str__(self) -> str:
        return f"{self.at / SECOND:11.6f} s  {self.who:30} {self.what}"


@dataclass(eq=False)
class Process:
    """What crashes, is paused and is asked to end as a whole: a worker, or a person's request."""

    name: str
    is_alive: bool = True
    is_leaving: bool = False
    asleep_until: int = 0
    disturbed_at: int = 0
    tasks: list["Task"] = field(default_factory=list)


class Task:
    """One thread of a process; `deployment` and `epoch` are what a worker's thread works on."""

    def __init__(
        self, scheduler: "Scheduler", process: Process, name: str, work: Callable[[], object]
    ) -> None:
        self.process = process
        self.name = f"{process.name} {name}"
        self.wakes_at = scheduler.time
        self.waits_for: Callable[[], bool] | None = None
        self.deployment = self.epoch = 0
        self.is_begun = self.is_done = self.is_dying = False
        self._baton = Lock()
        self._baton.acquire()
        self._scheduler = scheduler
        self._thread = Thread(target=self._run, args=(work,), daemon=True)

    def _run(self, work: Callable[[], object]) -> None:
        scheduler = self._scheduler
        scheduler.enter()
        try:
            work()
        except Crash:
            pass
        except Error as error:
            scheduler.note(f"gave up: {error}")
        except Exception as error:
            scheduler.surprises.append(f"{self.name} broke: {type(error).__name__}: {error}")
            scheduler.note(scheduler.surprises[-1])
        finally:
            self.is_done = True
            scheduler.baton.release()

    def is_ready(self, time: int) -> bool:
        if time < self.process.asleep_until:
            return False
        return time >= self.wakes_at or (self.waits_for is not None and self.waits_for())

    def ready_at(self) -> int:
        return max(self.wakes_at, self.process.asleep_until)

    def go_on(self) -> None:
        """Run until it gives way or has ended; called by the scheduler's own thread."""
        if self.is_begun:
            self._baton.release()
        else:
            self.is_begun = True
            self._thread.start()
        self._scheduler.baton.acquire()

    def give_way(self) -> None:
        """Let the scheduler choose who goes on; called by the task's own thread."""
        self._scheduler.baton.release()
        self._baton.acquire()
        if self.is_dying:
            raise Crash


class Scheduler:
    """Who goes on next, and what time it is, in microseconds since the beginning.

    `enter` is called first in the thread of each task.
    """

    def __init__(self, chance: Random, enter: Callable[[], None]) -> None:
        self.chance = chance
        self.enter = enter
        self.time = 0
        self.tasks: list[Task] = []
        self.current: Task | None = None
        self.trace: list[Entry] = []
        self.surprises: list[str] = []
        self.disturbances: list[int] = []  # when a process was held up and woke again
        self.baton = Lock()
        self.baton.acquire()
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0

    def now(self) -> datetime:
        """Never the same twice, so that what happened can be put in order."""
        self.time += 1
        return BEGINS + timedelta(microseconds=self.time)

    def note(self, what: str) -> None:
        """Add a line to the trace."""
        who = self.current.name if self.current else "world"
        self.trace.append(Entry(self.time, who, what))

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        """Do something that belongs to nobody, after so many seconds."""
        self._count += 1
        heappush(self._due, (self.time + int(seconds * SECOND), self._count, do))

    def begin(self, process: Process, name: str, work: Callable[[], object]) -> Task:
        """A new task of the process, ready at once; it works on what its starter works on."""
        task = Task(self, process, name, work)
        if self.current is not None:
            task.deployment, task.epoch = self.current.deployment, self.current.epoch
        process.tasks.append(task)
        self.tasks.append(task)
        return task

    def run(self, until: Callable[[], bool], *, seconds: float) -> bool:
        """Let everybody go on until that is so; whether it came to be in so many seconds."""
        ends = self.time + int(seconds * SECOND)
        while not until():
            while self._due and self._due[0][0] <= self.time:
                heappop(self._due)[2]()
            ready = [task for task in self.tasks if task.is_ready(self.time)]
            if ready:
                self._let(ready[self.chance.randrange(len(ready))])
            elif not self._let_time_pass(ends):
                return until()
        return True

    def _let_time_pass(self, ends: int) -> bool:
        times = [task.ready_at() for task in self.tasks]
        if self._due:
            times.append(self._due[0][0])
        if not times or min(times) > ends:
            return False
        self.time = max(self.time, min(times))
        return True

    def _let(self, task: Task) -> None:
        self._switch_to(task)
        if not task.process.is_alive:
            self.kill(task.process)
        elif task.is_done:
            self._forget(task)

    def _switch_to(self, task: Task) -> None:
        self.current = task
        task.go_on()
        self.current = None

    def _forget(self, task: Task) -> None:
        self.tasks.remove(task)
        task.process.tasks.remove(task)

    def crash(self) -> None:
        """The current task's process ends here; does not return."""
        assert self.current is not None
        self.note("CRASH")
        self.current.process.is_alive = False
        self.current.is_dying = True
        raise Crash

    def kill(self, process: Process) -> None:
        """The process ends, wherever its tasks are."""
        process.is_alive = False
        for task in [*process.tasks]:
            task.is_dying = True
            if task.is_begun and not task.is_done:
                self._switch_to(task)
            self._forget(task)

    def kill_all(self) -> None:
        """Everything that still goes on ends here."""
        while self.tasks:
            self.kill(self.tasks[0].process)

    def give_way(self) -> None:
        """Let another task go on, if there is one that is ready."""
        if self.current is not None and not self.current.is_dying:
            self.current.give_way()

    def sleep(self, seconds: float) -> None:
        """Let the current task wait, and nothing else."""
        self.wait(None, seconds)

    def wait(self, condition: Callable[[], bool] | None, seconds: float | None = None) -> bool:
        """Until the condition holds, or the time is over; without a time, for as long as it takes.

        The dead wait for nobody: False.
        """
        task = self.current
        if task is None or task.is_dying:
            return False
        task.wakes_at = FOREVER if seconds is None else self.time + ceil(seconds * SECOND)
        task.waits_for = condition
        task.give_way()
        task.wakes_at, task.waits_for = self.time, None
        return True


def since_beginning(moment: datetime) -> int:
    """The simulated time at a time of day."""
    return round((moment - BEGINS) / timedelta(microseconds=1))
