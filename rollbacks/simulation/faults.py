"""What goes wrong: how often in this schedule, and the points at which it does."""

from collections import Counter
from dataclasses import dataclass, fields
from random import Random
from typing import Self

from django.db import OperationalError

from rollbacks.platforms.base import PlatformError
from rollbacks.simulation.scheduler import SECOND, Scheduler

# A schedule in which this has happened so often goes on without.
AT_MOST = {"crash": 6, "pause": 5, "stall": 8, "database": 6, "lost_commit": 6}
A_CALL_TAKES = (0.3, 1.0, 3.0)  # seconds at most; each schedule has its pace


@dataclass
class Rates:
    """Of each kind of fault, its chance each time there is an occasion for it."""

    crash: float = 0
    pause: float = 0
    pause_before_change: float = 0
    stall: float = 0
    database: float = 0
    lost_commit: float = 0
    hint_lost: float = 0
    hint_doubled: float = 0
    hint_delayed: float = 0
    broker_down: float = 0
    passing: float = 0
    hang: float = 0
    lost_answer: float = 0
    falls_silent: float = 0

    @classmethod
    def drawn(cls, chance: Random) -> Self:
        """A schedule has some kinds of fault and not others: all at once would hide each other."""
        return cls(
            **{
                each.name: MOST[each.name] * 10 ** chance.uniform(-1.5, 0)
                for each in fields(cls)
                if chance.random() < 0.45
            }
        )

    def __str__(self) -> str:
        drawn = {each.name: getattr(self, each.name) for each in fields(self)}
        return ", ".join(f"{name} {rate:.3f}" for name, rate in drawn.items() if rate) or "none"


MOST = {
    "crash": 0.03,
    "pause": 0.02,
    "pause_before_change": 0.3,
    "stall": 0.015,
    "database": 0.015,
    "lost_commit": 0.05,
    "hint_lost": 0.9,
    "hint_doubled": 0.6,
    "hint_delayed": 0.9,
    "broker_down": 0.5,
    "passing": 0.3,
    "hang": 0.15,
    "lost_answer": 0.3,
    "falls_silent": 0.2,
}


class Faults:
    """Asked at every point; says yes no more once it was stopped."""

    def __init__(self, scheduler: Scheduler, rates: Rates) -> None:
        self.rates = rates
        self.happened: Counter[str] = Counter()
        self._scheduler = scheduler
        self._chance = scheduler.chance
        self._switch = self._chance.choice((0.05, 0.2, 0.5))
        self._pace = self._chance.choice(A_CALL_TAKES)

    def stop(self) -> None:
        """From here on nothing goes wrong."""
        self.rates = Rates()

    def happens(self, kind: str) -> bool:
        """Whether this goes wrong now."""
        rate: float = getattr(self.rates, kind)
        if not rate or self._chance.random() >= rate:
            return False
        if self.happened[kind] >= AT_MOST.get(kind, 1000):
            return False
        self.happened[kind] += 1
        return True

    def between(self, least: float, most: float) -> float:
        return self._chance.uniform(least, most)

    def point(self, label: str, *, in_transaction: bool = False) -> None:
        """A labelled point of the current task: it may die, wait, or give way to another one."""
        scheduler = self._scheduler
        task = scheduler.current
        if task is None:
            return
        if task.is_dying:
            scheduler.surprises.append(f"{task.name} went on after it was dead: {label}")
            return
        scheduler.time += 1
        scheduler.note(label)
        if self.happens("crash"):
            scheduler.crash()
        if not in_transaction:
            self._linger()

    def statement(self, label: str, *, in_transaction: bool) -> None:
        """The same before a statement, which the database may refuse."""
        self.point(label, in_transaction=in_transaction)
        if self._scheduler.current is not None and self.happens("database"):
            self._disturb()
            self._scheduler.note("THE DATABASE GOES AWAY")
            raise OperationalError("simulated: server closed the connection unexpectedly")

    def after_commit(self) -> None:
        """What was committed is; whoever asked for it may not come to know."""
        scheduler = self._scheduler
        if scheduler.current is None or scheduler.current.is_dying:
            return
        if self.happens("crash"):
            scheduler.crash()
        if self.happens("lost_commit"):
            self._disturb()
            scheduler.note("committed, and THE ANSWER IS LOST")
            raise OperationalError("simulated: the answer to COMMIT was lost")

    def call(self, whom: str) -> None:
        """A call on its way: it takes its time; PlatformError if there is no answer."""
        fault = next((each for each in ("hang", "passing") if self.happens(each)), "")
        self._scheduler.sleep(
            self.between(5, 40) if fault == "hang" else self.between(0, self._pace)
        )
        if fault:
            self._scheduler.note(
                f"{whom} REFUSES the connection" if fault == "passing" else f"{whom} HANGS"
            )
            raise PlatformError(f"{whom}: the connection was refused")

    def before_change(self, key: str) -> None:
        """Where a pause is most dangerous: what comes next may come too late."""
        self.point(f"{key} is about to change")
        if self.happens("pause_before_change"):
            self._pause()

    def _pause(self) -> None:
        scheduler = self._scheduler
        assert scheduler.current is not None
        seconds = self.between(1, 25)
        scheduler.note(f"PAUSED with its whole process for {seconds:.3f} s")
        scheduler.current.process.asleep_until = scheduler.time + int(seconds * SECOND)
        scheduler.give_way()
        self._disturb()

    def _linger(self) -> None:
        scheduler = self._scheduler
        if self.happens("pause"):
            self._pause()
        elif self.happens("stall"):
            seconds = self.between(0.2, 14)
            scheduler.note(f"STALLS for {seconds:.3f} s")
            scheduler.sleep(seconds)
            self._disturb()
        elif self._chance.random() < self._switch:
            scheduler.give_way()

    def _disturb(self) -> None:
        if self._scheduler.current is not None:
            self._scheduler.current.process.disturbed_at = self._scheduler.time
            self._scheduler.disturbances.append(self._scheduler.time)
