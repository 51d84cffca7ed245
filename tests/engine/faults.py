"""A worker that can die at any point of an execution, and what must hold afterwards."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Q
from django.utils import timezone

from dashboard.models import Deployment, Status
from rollbacks import execution, lifecycle, observation
from tests.lab import Fleet

AFTER_THE_END = "after the end was committed"


class Crash(BaseException):
    """The worker is gone: no handler of Exception sees it."""


class Points:
    """Passes every labelled point of an execution, and lets the worker die where `dies` says."""

    def __init__(self) -> None:
        self.passed: list[str] = []
        self.dies: Callable[[int], bool] = lambda number: False

    def __call__(self, label: str) -> None:
        self.passed.append(label)
        if self.dies(len(self.passed)):
            raise Crash(label)

    def die_at(self, number: int) -> None:
        """The worker dies at the n-th point from now on."""
        self.passed.clear()
        self.dies = lambda passed: passed == number

    def live(self) -> None:
        self.dies = lambda number: False


def install(monkeypatch: pytest.MonkeyPatch, fleet: Fleet) -> Points:
    """Points before, inside and after each journal write and status change, and round each call."""
    point = Points()
    mark_writes(monkeypatch, point)
    fleet.point = point
    fleet.before_change = lambda host: point("before a change of a host")
    fleet.after_change = lambda host: point("after a change of a host")
    return point


def mark_writes(monkeypatch: pytest.MonkeyPatch, point: Callable[[str], None]) -> None:
    """Points before, inside and after each journal write and status change."""
    fenced, advance, record = lifecycle.fenced, lifecycle.advance, observation.record

    @contextmanager
    def pointed_fence(lease: lifecycle.Lease) -> Iterator[None]:
        point("before a journal write")
        with fenced(lease):
            yield
            point("inside a journal write")
        point("after a journal write")

    def pointed_advance(*args: Any, **kwargs: Any) -> None:
        point("before a change of status")
        advance(*args, **kwargs)
        point("after a change of status")

    def pointed_record(*args: Any) -> None:
        point(AFTER_THE_END)
        record(*args)

    monkeypatch.setattr(observation, "record", pointed_record)
    monkeypatch.setattr(lifecycle, "fenced", pointed_fence)
    monkeypatch.setattr(lifecycle, "advance", pointed_advance)


def expire(deployment: Deployment) -> None:
    """Let time pass until the lease has ended."""
    rows = Deployment.objects.filter(pk=deployment.pk, lease_until__isnull=False)
    rows.update(lease_until=timezone.now() - timedelta(seconds=1))


def work(deployment: Deployment, owner: str = "worker") -> bool:
    """Let a worker work on it; whether it lived."""
    try:
        execution.execute(deployment.pk, owner)
    except Crash:
        return False
    return True


def finish(deployment: Deployment) -> Deployment:
    """Let successors work until it has come to rest."""
    for successor in range(50):
        expire(deployment)
        if deployment.pk not in lifecycle.due(timezone.now()):
            break
        work(deployment, f"successor-{successor}")
    return Deployment.objects.get(pk=deployment.pk)


def require_nobody_is_stuck() -> None:
    """Nothing is active without somebody to continue it (goals.md: stuck runs)."""
    now = timezone.now()
    due = set(lifecycle.due(now))
    active = Deployment.objects.filter(
        status__in=(Status.QUEUED, Status.RUNNING, Status.ABORTING)
    ).exclude(Q(lease_until__gte=now), ~Q(status=Status.QUEUED))
    for deployment in active.exclude(pk__in=due):
        # What waits for its turn is continued when the one that holds the target has ended.
        assert deployment.status == Status.QUEUED, f"{deployment} is stuck {deployment.status}"
        ahead = deployment.target.deployments.filter(pk__lt=deployment.pk)
        assert any(each.is_active for each in ahead), f"{deployment} waits for nothing"
    for deployment in Deployment.objects.filter(status=Status.PAUSED):
        assert deployment.code, f"{deployment} is paused without a reason"
        assert deployment.message, f"{deployment} is paused without a sentence"
    for deployment in Deployment.objects.filter(journal_pruned_at=None).exclude(status="QUEUED"):
        last = deployment.events.order_by("-pk").first()
        assert last is not None, f"{deployment} has no event"
        assert last.status == deployment.status, f"{deployment}: the last event is not its status"
