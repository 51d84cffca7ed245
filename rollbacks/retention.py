"""Deletes what is old of finished executions: their log lines, later their whole journals.

Never what a rollback may need: the journal of a target's current and latest deployment, of what is
still active, and of what those replace or roll back stays for ever. Once a journal is not needed,
nothing can make it needed again, because only the current deployment is replaced or rolled back.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from dashboard.models import (
    ACTIVE,
    FINISHED,
    Deployment,
    Direction,
    Event,
    LogLine,
    Phase,
    Step,
    Target,
    Turn,
)

TURN = "prune"
EVERY = timedelta(hours=1)
BATCH = 100
LINES = 1000
# Between two small transactions, so that on SQLite others come to write.
BREATH_SECONDS = 0.01


@dataclass
class Pruned:
    """How many executions lost their log lines, and how many their journal."""

    logs: int = 0
    journals: int = 0


def take_turn(now: datetime) -> bool:
    """Whether this process is to prune now; of all, one gets the turn of the hour."""
    return Turn.take(TURN, now, before=now - EVERY)


def prune(now: datetime, *, for_seconds: float | None = None) -> Pruned:
    """Prune what is due in small transactions, for so long at most; the rest is due again."""
    ends = time.monotonic() + for_seconds if for_seconds is not None else None

    def is_over() -> bool:
        return ends is not None and time.monotonic() >= ends

    done = Pruned()
    for pk in _one_by_one(with_old_journal, now, is_over):
        done.journals += _prune_journal(pk, now)
    for pk in _one_by_one(with_old_log, now, is_over):
        done.logs += _prune_log(pk, now)
    return done


def with_old_log(now: datetime) -> QuerySet[Deployment]:
    """Whose log lines are due; none where they are kept for ever."""
    return _unneeded(now, settings.KEEP_LOG_DAYS).filter(log_pruned_at=None)


def with_old_journal(now: datetime) -> QuerySet[Deployment]:
    """Whose journal is due; none where they are kept for ever."""
    days = settings.KEEP_JOURNAL_DAYS
    # A younger rollback's steps point at those they undo.
    younger = Deployment.objects.filter(
        rolls_back=OuterRef("pk"), finished_at__gte=now - timedelta(days=days)
    )
    return _unneeded(now, days).filter(~Exists(younger), journal_pruned_at=None)


def _unneeded(now: datetime, days: int) -> QuerySet[Deployment]:
    """What ended so long ago and no rollback can come to."""
    if not days:
        return Deployment.objects.none()
    long_ago = now - timedelta(days=days)
    pointing = Deployment.objects.filter(
        Q(replaces=OuterRef("pk")) | Q(rolls_back=OuterRef("pk")),
        Q(status__in=ACTIVE) | Q(_is_of_a_target()),
    )
    ended = Deployment.objects.filter(status__in=FINISHED, finished_at__lt=long_ago)
    return ended.filter(~_is_of_a_target(), ~Exists(pointing))


def _is_of_a_target() -> Exists:
    """Whether it is the current or the latest deployment of its target."""
    return Exists(
        Target.objects.filter(
            Q(current_deployment=OuterRef("pk")) | Q(latest_deployment=OuterRef("pk"))
        )
    )


def _one_by_one(
    due: Callable[[datetime], QuerySet[Deployment]], now: datetime, is_over: Callable[[], bool]
) -> Iterator[int]:
    """Newest first: a rollback comes before what it undoes, whose steps it points at."""
    last: int | None = None
    while True:
        found = due(now) if last is None else due(now).filter(pk__lt=last)
        batch = list(found.order_by("-pk").values_list("pk", flat=True)[:BATCH])
        for last in batch:
            if is_over():
                return
            yield last
            time.sleep(BREATH_SECONDS)
        if len(batch) < BATCH:
            return


def _prune_log(deployment_id: int, now: datetime) -> bool:
    _delete_lines(deployment_id)
    return bool(_still(with_old_log, deployment_id, now).update(log_pruned_at=now))


def _prune_journal(deployment_id: int, now: datetime) -> bool:
    _delete_lines(deployment_id)
    with transaction.atomic():
        # Asked again by the very statement that opens the transaction.
        rows = _still(with_old_journal, deployment_id, now)
        marks = {"log_pruned_at": now, "journal_pruned_at": now, "version": F("version") + 1}
        if not rows.update(**marks):
            return False
        for direction in (Direction.BACK, Direction.FORWARD):
            phases = Phase.objects.filter(deployment=deployment_id, direction=direction)
            Step.objects.filter(phase__in=phases).delete()
            phases.delete()
        Event.objects.filter(deployment=deployment_id).delete()
    return True


def _still(
    due: Callable[[datetime], QuerySet[Deployment]], deployment_id: int, now: datetime
) -> QuerySet[Deployment]:
    return due(now).filter(pk=deployment_id).order_by()


def _delete_lines(deployment_id: int) -> None:
    lines = LogLine.objects.filter(step__phase__deployment=deployment_id).order_by()
    while batch := list(lines.values_list("pk", flat=True)[:LINES]):
        LogLine.objects.filter(pk__in=batch).delete()
