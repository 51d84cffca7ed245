"""Can this installation do its work: database, migrations, and some worker that takes hints."""

import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from django.db import Error, connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Max

from dashboard.models import WorkerSeen

log = logging.getLogger(__name__)
SIGNED_WITHIN = timedelta(seconds=12)  # then two signatures are missing
SWEPT_WITHIN = timedelta(seconds=30)
HINTED_WITHIN = timedelta(seconds=60)


@dataclass(frozen=True)
class Check:
    """One thing that must hold; `problem` and `remedy` where it does not. No secrets."""

    name: str
    problem: str = ""
    remedy: str = ""

    @property
    def is_met(self) -> bool:
        return not self.problem


def checks(now: datetime) -> Sequence[Check]:
    """Each check in order; after one that is not met the rest cannot be asked."""
    found: list[Check] = []
    try:
        for ask in (_migrations, lambda: _workers(now)):
            found.append(ask())
            if not found[-1].is_met:
                break
    except Error as error:
        # The text may name the server; strangers are told the kind, the log has the rest.
        log.warning("Not ready: %s: %s", type(error).__name__, error)
        problem = f"The database does not answer ({type(error).__name__})."
        return [Check("database", problem, FILE if connection.vendor == "sqlite" else SERVER)]
    named = {check.name: check for check in (Check("database"), *found)}
    return list(named.values())


@cache
def _migrations_on_disk() -> frozenset[tuple[str, str]]:
    disk = MigrationLoader(None).disk_migrations
    return frozenset(disk or ())


def _migrations() -> Check:
    pending = _migrations_on_disk() - set(MigrationRecorder(connection).applied_migrations())
    problem = f"{len(pending)} migrations were not applied." if pending else ""
    return Check("migrations", problem, problem and "Run `manage.py migrate`.")


def _workers(now: datetime) -> Check:
    seen = WorkerSeen.objects.aggregate(swept=Max("at"), hinted=Max("took_hint_at"))
    is_signed = seen["swept"] is not None and now - seen["swept"] <= SIGNED_WITHIN
    if not is_signed and (fault := _fault_of_writing(now)):
        return Check("database", f"The database answers, but takes no writes ({fault}).", ROOM)
    if seen["swept"] is None or now - seen["swept"] > SWEPT_WITHIN:
        return Check("workers", f"No worker was seen {_since(seen['swept'], now)}.", START)
    if seen["hinted"] is None or now - seen["hinted"] > HINTED_WITHIN:
        problem = f"Workers live, but none took a hint {_since(seen['hinted'], now)}."
        return Check("workers", problem, LOOK)
    return Check("workers")


def _fault_of_writing(now: datetime) -> str:
    """The kind of error, if any. Nobody sees the row, but the disk has to take it."""
    try:
        with transaction.atomic():
            WorkerSeen.objects.create(name=uuid.uuid4().hex, at=now).delete()
    except Error as error:
        log.warning("The database takes no writes: %s: %s", type(error).__name__, error)
        return type(error).__name__
    return ""


SERVER = "Start it, or mend LASTGOOD_DATABASE_URL."
# SQLite needs room even to open a file that nobody has open.
FILE = "Look whether its disk is full or read-only; it is in LASTGOOD_STATE_DIR."
ROOM = "Make room on its disk; look whether it is mounted read-only, or locked by somebody."
START = "Start one: `celery -A dashboard worker`."
LOOK = "Look whether the broker answers them, and whether all are busy (LASTGOOD_CONCURRENCY)."


def _since(at: datetime | None, now: datetime) -> str:
    return f"for {(now - at).total_seconds():.0f} s" if at else "yet"
