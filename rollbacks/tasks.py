"""Celery's part: it carries hints with ids. A hint may come twice or never; the database knows."""

import logging
from typing import Any

from celery import current_app, shared_task
from celery.utils.log import get_task_logger
from django.utils import timezone

from accounts import audit
from accounts.needs import WORKER, needs
from dashboard import logs
from dashboard.models import Target
from dashboard.operating import counts
from rollbacks import attendance, execution, observation, retention
from rollbacks.runtime import MACHINE
from rollbacks.sweep import Sweep

log = get_task_logger(__name__)
PRUNES_FOR_SECONDS = 60.0
current_app.steps["worker"].add(Sweep)


@shared_task
@needs(WORKER)
def execute(deployment_id: int) -> None:
    origin = audit.Origin(f"worker {counts.process_name()}")
    with audit.coming_from(origin), logs.about(execution=deployment_id):
        if not MACHINE.is_leaving():
            execution.execute(deployment_id, counts.process_name())
        if MACHINE.is_leaving():
            hint(deployment_id)  # for another worker, at once


@shared_task
@needs(WORKER)
def sync(target_id: int) -> None:
    target = Target.objects.select_related("service__application").get(pk=target_id)
    observation.sync(target, timezone.now())


@shared_task
@needs(WORKER)
def canary() -> None:
    attendance.took_hint(timezone.now())


@shared_task
@needs(WORKER)
def prune() -> None:
    retention.prune(timezone.now(), for_seconds=PRUNES_FOR_SECONDS)
    attendance.forget(timezone.now())


def hint(deployment_id: int) -> None:
    """Wake a worker. Never raises: what a lost hint leaves, the sweep finds."""
    _send(execute, deployment_id)


def hint_sync(target_id: int) -> None:
    """Ask a worker to look at a target. Never raises."""
    _send(sync, target_id)


def _send(task: Any, argument: int) -> None:
    try:
        with counts.hint():
            task.delay(argument)
    except Exception as error:  # the broker's own exceptions have no common base
        logging.getLogger(__name__).warning(
            "The broker took no hint (%s); the sweep will find it.", type(error).__name__
        )
