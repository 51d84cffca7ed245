"""Hints as they come in bad times: lost, twice, late, in another order, or refused."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from celery import current_app

from rollbacks.simulation.faults import Faults
from rollbacks.simulation.scheduler import Scheduler

Take = Callable[[str, int], None]


class BrokerDown(Exception):
    """As the broker's own exceptions: of no kind that Lastgood knows."""


class Broker:
    """In place of Celery's; `take` is what a worker does with a hint."""

    def __init__(self, scheduler: Scheduler, faults: Faults, take: Take) -> None:
        self._scheduler = scheduler
        self._faults = faults
        self._take = take

    def send_task(self, name: str, args: Sequence[int] | None = None, *_: Any, **__: Any) -> None:
        """As `Celery.send_task`."""
        task, argument = name.rpartition(".")[2], args[0] if args else 0
        if self._faults.happens("broker_down"):
            self._scheduler.note(f"hint {task} {argument}: the broker is down")
            raise BrokerDown("simulated")
        if self._faults.happens("hint_lost"):
            self._scheduler.note(f"hint {task} {argument} is lost")
            return
        for _count in range(2 if self._faults.happens("hint_doubled") else 1):
            delay = self._faults.between(0.001, 0.1)
            if self._faults.happens("hint_delayed"):
                delay = self._faults.between(0.1, 30)
            self._scheduler.note(f"hint {task} {argument} comes in {delay:.3f} s")
            self._scheduler.later(delay, lambda: self._take(task, argument))


@contextmanager
def taking_hints(broker: Broker) -> Iterator[None]:
    """Whatever is sent through Celery inside goes to this broker."""
    app: Any = current_app._get_current_object()  # type: ignore[attr-defined]
    app.send_task = broker.send_task
    try:
        yield
    finally:
        del app.send_task
