"""The labelled points of a schedule: before each statement, and after each commit.

No task gives way inside a transaction; on SQLite, where one writer holds the file, that hides
nothing.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from rollbacks.simulation.database import Shelf
from rollbacks.simulation.faults import Faults
from rollbacks.simulation.scheduler import Scheduler
from rollbacks.simulation.world import World, Write

_STATEMENT = re.compile(r'(BEGIN|SELECT|INSERT|UPDATE|DELETE)(?:.*?"[a-z]+?_(\w+)")?')
_CLAIM = 'UPDATE "dashboard_deployment" SET "lease_owner"'
_JOURNAL = frozenset({"deployment", "phase", "step", "logline", "event"})
_WRITES = frozenset(f"{verb} {table}" for verb in ("INSERT", "UPDATE") for table in _JOURNAL)

Chronicle = dict[int, int]
"""When each event was committed, by its primary key."""


class _Ledger:
    """Keeps what each commit wrote to the journal, and by whom."""

    def __init__(self, shelf: Shelf, scheduler: Scheduler, world: World) -> None:
        self.chronicle: Chronicle = {}
        self._rows = shelf.rows
        self._scheduler = scheduler
        self._world = world
        self._last_event = self._rows.last_event()
        self._written: set[str] = set()

    def begin(self) -> None:
        self._written = set()

    def wrote(self, label: str, sql: str) -> None:
        self._written.add("claim" if sql.startswith(_CLAIM) else label)

    def commit(self) -> None:
        """Called when what was written is visible to all."""
        if not self._written:
            return
        self._scheduler.time += 1
        last, self._last_event = self._last_event, self._rows.last_event()
        new = range(last + 1, self._last_event + 1)
        self.chronicle.update(dict.fromkeys(new, self._scheduler.time))
        self._note_the_worker()
        self._written = set()

    def _note_the_worker(self) -> None:
        task = self._scheduler.current
        if task is None or not task.deployment:
            return
        newest = self._rows.lease(task.deployment)[0]
        if "claim" in self._written and not task.epoch:
            task.epoch = newest
        if task.epoch:
            now, pk = self._scheduler.time, task.deployment
            self._world.writes.append(Write(now, task.name, pk, task.epoch, newest))


@contextmanager
def points(shelf: Shelf, scheduler: Scheduler, faults: Faults, world: World) -> Iterator[Chronicle]:
    """A point before each statement inside, and one after each commit, which is written down."""
    ledger, connection = _Ledger(shelf, scheduler, world), shelf.connection

    def before(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if label := label_of(sql):
            faults.statement(label, in_transaction=connection.in_atomic_block)
            if not connection.in_atomic_block:
                ledger.begin()
        result = execute(sql, params, many, context)
        if label in _WRITES and result.rowcount > 0:
            ledger.wrote(label, sql)
            if not connection.in_atomic_block:
                ledger.commit()
        return result

    def after_commit() -> None:
        ledger.commit()
        faults.after_commit()

    connection.after_commit = after_commit
    try:
        with connection.execute_wrapper(before):
            yield ledger.chronicle
    finally:
        connection.after_commit = None


@lru_cache(maxsize=4096)
def label_of(sql: str) -> str:
    """What the statement does, to which table; empty for savepoints, which are no points."""
    found = _STATEMENT.match(sql)
    if found is None:
        return ""
    return f"{found[1]} {found[2] or ''}".strip()
