"""The only writer of a deployment's status and of its lease.

Every write of a worker is fenced: one guarded UPDATE of the deployment's row, which fails once a
newer worker has claimed it, opens the transaction in which the journal is written.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet

from accounts import audit
from accounts.models import User
from accounts.vocabulary import Verb
from dashboard.models import FINISHED, HOLDING, Deployment, Event, Status, Target

TRANSITIONS: Mapping[Status, frozenset[Status]] = {
    Status.QUEUED: frozenset({Status.RUNNING, Status.ABORTED}),
    Status.RUNNING: frozenset({Status.PAUSED, Status.ABORTING, Status.SUCCEEDED, Status.FAILED}),
    Status.PAUSED: frozenset({Status.RUNNING, Status.ABORTING}),
    Status.ABORTING: frozenset({Status.ABORTED}),
    Status.SUCCEEDED: frozenset(),
    Status.FAILED: frozenset(),
    Status.ABORTED: frozenset(),
}

WORKED_ON = (Status.RUNNING, Status.ABORTING)
RIGHT_LOST = "RIGHT_LOST"
ABORTED_BY = "ABORTED_BY"
MANUAL_INTERVENTION = "MANUAL_INTERVENTION"
NOT_DECIDED = "NOT_DECIDED"


class IllegalTransition(Exception):
    """The deployment is not in a status from which it may become what was asked."""


class LeaseLost(Exception):
    """Another worker has the execution: write nothing, start nothing."""


@dataclass(frozen=True)
class Lease:
    """The right of one worker to work on one deployment, until `until` or a newer epoch."""

    deployment_id: int
    owner: str
    epoch: int
    until: datetime


def advance(
    deployment_id: int,
    to: Status,
    *,
    now: datetime,
    epoch: int | None = None,
    actor: User | None = None,
    code: str = "",
    message: str = "",
    **fields: Any,
) -> None:
    """Change the status: table look-up, guarded UPDATE, event row, one transaction.

    With `epoch` the writer is a worker and must still hold the lease (LeaseLost otherwise).
    Raises IllegalTransition where the status of the row does not allow it.
    """
    origins = [status for status, next_ones in TRANSITIONS.items() if to in next_ones]
    rows = Deployment.objects.filter(pk=deployment_id, status__in=origins)
    if epoch is not None:
        rows = rows.filter(lease_epoch=epoch)
    with transaction.atomic():
        # Always the target before its deployment: people's actions lock in that order too, and
        # the other order is a deadlock on PostgreSQL. Without `no_key`, any transaction that
        # writes a deployment twice would want the target second, to check its foreign key.
        target_id = Deployment.objects.values_list("target", flat=True).get(pk=deployment_id)
        target = Target.objects.select_for_update(no_key=True).get(pk=target_id)
        changed = rows.update(
            status=to, code=code, message=message, version=F("version") + 1, **fields
        )
        if not changed:
            _explain(deployment_id, to, epoch)
        Event.objects.create(
            deployment_id=deployment_id,
            at=now,
            actor=actor,
            status=to,
            code=code,
            message=message,
            epoch=epoch or 0,
        )
        if code == RIGHT_LOST:
            subject = Deployment.objects.get(pk=deployment_id)
            audit.record(
                Verb.RIGHT_LOST, actor=subject.responsible, subject=subject, message=message
            )
        if to in FINISHED:
            # Due for a look: a worker that dies now does not come to record what it saw.
            target.sync_tried_at = None
            if to == Status.SUCCEEDED:
                target.current_deployment_id = deployment_id
            target.save(update_fields=["sync_tried_at", "current_deployment"])


def _explain(deployment_id: int, to: Status, epoch: int | None) -> None:
    row = Deployment.objects.values("status", "lease_epoch").get(pk=deployment_id)
    if epoch is not None and row["lease_epoch"] != epoch:
        raise LeaseLost(f"Deployment {deployment_id} belongs to epoch {row['lease_epoch']}.")
    raise IllegalTransition(f"Deployment {deployment_id} is {row['status']}, not to be {to}.")


def due(now: datetime) -> list[int]:
    """Deployments a worker should look at: the head of each free target's queue, ended leases,
    and failed steps nobody decided upon in time."""
    held = Deployment.objects.filter(status__in=HOLDING).values("target")
    queued = (
        Deployment.objects.filter(status=Status.QUEUED)
        .exclude(target__in=held)
        .order_by("pk")
        .values_list("pk", "target")
    )
    heads: dict[int, int] = {}
    for pk, target in queued:
        heads.setdefault(target, pk)
    waiting = _orphaned(now) | _undecided(now)
    return [*heads.values(), *waiting.values_list("pk", flat=True)]


def _undecided(now: datetime) -> QuerySet[Deployment]:
    """What waits for a person's decision, and has waited as long as its workflow says."""
    return Deployment.objects.filter(status=Status.PAUSED, decision_due_at__lte=now)


def _orphaned(now: datetime) -> QuerySet[Deployment]:
    """What should be worked on and by nobody is."""
    return Deployment.objects.filter(
        Q(lease_until__lt=now) | Q(lease_until__isnull=True), status__in=WORKED_ON
    )


def claim(deployment_id: int, owner: str, now: datetime) -> Lease | None:
    """Take the execution if it is waiting for a worker or its worker's lease has ended."""
    until = now + timedelta(seconds=settings.LEASE_SECONDS)
    try:
        with transaction.atomic():
            deployment = Deployment.objects.filter(pk=deployment_id).first()
            if deployment is None:
                return None
            target = Target.objects.select_for_update(no_key=True).get(pk=deployment.target_id)
            _start(deployment, target, now)
            _wake(deployment, now)
            taken = (
                _orphaned(now)
                .filter(pk=deployment_id)
                .update(lease_owner=owner, lease_epoch=F("lease_epoch") + 1, lease_until=until)
            )
            if not taken:
                return None
            epoch = Deployment.objects.values_list("lease_epoch", flat=True).get(pk=deployment_id)
    except IntegrityError:
        return None  # another execution took the target between our look and our write
    return Lease(deployment_id, owner, epoch, until)


def _start(deployment: Deployment, target: Target, now: datetime) -> None:
    """Let the head of a free target's queue begin; the target's row is locked."""
    on_target = Deployment.objects.filter(target=target)
    if deployment.status != Status.QUEUED or on_target.filter(status__in=HOLDING).exists():
        return
    if on_target.filter(status=Status.QUEUED, pk__lt=deployment.pk).exists():
        return
    # Aborted between our look and the lock: then nobody takes it.
    with suppress(IllegalTransition):
        advance(
            deployment.pk,
            Status.RUNNING,
            now=now,
            started_at=now,
            replaces_id=target.current_deployment_id,
        )


def _wake(deployment: Deployment, now: datetime) -> None:
    """Let what nobody decided upon in time go on as its workflow says."""
    if not _undecided(now).filter(pk=deployment.pk).exists():
        return
    message = "Nobody decided in time; it goes on as the workflow says."
    with suppress(IllegalTransition):
        advance(
            deployment.pk, Status.RUNNING, now=now, code=NOT_DECIDED, message=message,
            lease_until=None,
        )  # fmt: skip


def renew(lease: Lease, now: datetime) -> Status:
    """Prolong the lease; the deployment's status as it is now. Raises LeaseLost."""
    until = now + timedelta(seconds=settings.LEASE_SECONDS)
    _update_held(lease, lease_until=until)
    return Status(Deployment.objects.values_list("status", flat=True).get(pk=lease.deployment_id))


def release(lease: Lease, now: datetime) -> None:
    """Give the execution back at a safe point, so that the next worker need not wait."""
    Deployment.objects.filter(
        pk=lease.deployment_id, lease_epoch=lease.epoch, status__in=HOLDING
    ).update(lease_until=now - timedelta(microseconds=1))


@contextmanager
def fenced(lease: Lease) -> Iterator[None]:
    """A transaction in which this worker may write; LeaseLost if a newer epoch exists."""
    with transaction.atomic():
        _update_held(lease, version=F("version") + 1)
        yield


def _update_held(lease: Lease, **fields: Any) -> None:
    """Update the deployment's row only while the lease is the newest; LeaseLost otherwise."""
    rows = Deployment.objects.filter(
        pk=lease.deployment_id, lease_epoch=lease.epoch, status__in=WORKED_ON
    )
    if not rows.update(**fields):
        raise LeaseLost(f"Deployment {lease.deployment_id} went on without {lease.owner}.")


def status_of(lease: Lease) -> Status:
    """The status as it is now. Raises LeaseLost if a newer epoch exists."""
    row = Deployment.objects.values("status", "lease_epoch").get(pk=lease.deployment_id)
    if row["lease_epoch"] != lease.epoch:
        raise LeaseLost(f"Deployment {lease.deployment_id} went on without {lease.owner}.")
    return Status(row["status"])
