"""Finds what a lost hint or a dead worker left. Every worker process sweeps; none is special."""

import logging
import random
import threading
from datetime import datetime, timedelta
from typing import Any

from celery import bootsteps, current_app
from django.conf import settings
from django.db import Error, connection
from django.db.models import Q
from django.utils import timezone

from dashboard.models import Target
from dashboard.operating import counts
from rollbacks import attendance, lifecycle, retention
from rollbacks.runtime import MACHINE

log = logging.getLogger(__name__)

LONGEST_PAUSE = 30.0


class Sweeper:
    """Of one process; keep one for as long as it goes round.

    What still waits is hinted ever more seldom: where workers cannot keep up, hints that every
    sweeper sends again and again would be a heap, and what is new would lie behind it.
    """

    def __init__(self) -> None:
        self._hinted: dict[int, tuple[datetime, float]] = {}  # until when not again; pause, in s

    def sweep(self, now: datetime) -> None:
        """Hint every execution that waits for a worker, and every target due for a look."""
        waiting = lifecycle.due(now)
        self._hinted = {pk: self._hinted[pk] for pk in waiting if pk in self._hinted}
        for deployment_id in waiting:
            not_before, pause = self._hinted.get(deployment_id, (now, 0.0))
            if now >= not_before:
                _hint("rollbacks.tasks.execute", deployment_id)
                pause = min(LONGEST_PAUSE, max(settings.SWEEP_SECONDS, 2 * pause))
                self._hinted[deployment_id] = (now + timedelta(seconds=pause), pause)
        for target_id in _due_for_sync(now):
            _hint("rollbacks.tasks.sync", target_id)


def _hint(task: str, *arguments: int) -> None:
    with counts.hint():
        current_app.send_task(task, arguments)


def _due_for_sync(now: datetime) -> list[int]:
    """Targets not looked at for SYNC_SECONDS, each taken by one sweeper."""
    old = Q(sync_tried_at__isnull=True) | Q(
        sync_tried_at__lt=now - timedelta(seconds=settings.SYNC_SECONDS)
    )
    candidates = Target.objects.filter(old, current_deployment__isnull=False)
    return [
        pk
        for pk in candidates.values_list("pk", flat=True)[:100]
        if Target.objects.filter(old, pk=pk).update(sync_tried_at=now)
    ]


class Sweep(bootsteps.StartStopStep):
    """Runs the sweep in a thread for as long as the worker lives."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, **kwargs: Any) -> None:
        super().__init__(parent, **kwargs)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweep", daemon=True)

    def start(self, parent: Any) -> None:
        self._thread.start()

    def stop(self, parent: Any) -> None:
        """Before the pool's stop, which waits for what is being worked on to come to rest."""
        MACHINE.leave()
        self._stopping.set()
        self._thread.join(timeout=5)
        try:
            attendance.leave()
        except Error:
            log.warning("The database was not told that this worker ends.")
        finally:
            connection.close()

    def _run(self) -> None:
        present, sweeper = attendance.Attendance(), Sweeper()
        # Jitter keeps many workers from asking at the same moment.
        while not self._stopping.wait(settings.SWEEP_SECONDS * random.uniform(0.5, 1.0)):  # noqa: S311
            try:
                has_signed = present.sign(timezone.now())
                sweeper.sweep(MACHINE.shared_now())
                if has_signed and retention.take_turn(timezone.now()):
                    _hint("rollbacks.tasks.prune")
            except Exception:
                log.exception("The sweep failed; it tries again in a moment.")
            finally:
                connection.close()
