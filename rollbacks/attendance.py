"""Proof that a worker lives and takes hints, for readiness and metrics.

Its sweep signs the row of its process every few seconds, with what the process has counted, and
sends a canary: a hint as any other, which whatever worker takes it signs in turn.
"""

import logging
from datetime import datetime, timedelta

from celery import current_app

from dashboard.models import WorkerSeen
from dashboard.operating import counts

log = logging.getLogger(__name__)

SIGNS_EVERY = timedelta(seconds=5)
CANARY_LIVES = 30.0
FORGOTTEN_AFTER = timedelta(days=1)


class Attendance:
    """Of this process; keep one for as long as its sweep goes round."""

    def __init__(self) -> None:
        self._signed_at: datetime | None = None

    def sign(self, now: datetime) -> bool:
        """Sign and send the canary, unless that was done a moment ago; whether it was now."""
        if self._signed_at is not None and now - self._signed_at < SIGNS_EVERY:
            return False
        _write(now, at=now, counts=counts.snapshot())
        self._signed_at = now
        _send_canary()
        return True


def took_hint(now: datetime) -> None:
    """This process has taken a canary."""
    _write(now, took_hint_at=now)


def leave() -> None:
    """This process ends as it was asked to: nobody need wonder where it is."""
    WorkerSeen.objects.filter(pk=counts.process_name()).delete()


def forget(now: datetime) -> None:
    """Delete the rows of processes that ended otherwise."""
    WorkerSeen.objects.filter(at__lt=now - FORGOTTEN_AFTER).delete()


def _write(now: datetime, **fields: object) -> None:
    rows = WorkerSeen.objects.filter(pk=counts.process_name())
    if not rows.update(**fields):
        values = {"at": now, **fields}
        WorkerSeen.objects.update_or_create(pk=counts.process_name(), defaults=values)


def _send_canary() -> None:
    try:
        with counts.hint():
            # It expires, so that a long absence of workers does not leave a heap of them.
            current_app.send_task("rollbacks.tasks.canary", expires=CANARY_LIVES)
    except Exception as error:  # the broker's own exceptions have no common base
        log.warning("The broker took no canary (%s).", type(error).__name__)
