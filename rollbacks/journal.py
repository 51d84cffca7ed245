"""The journal of an execution: what was to be done, what was found before, what was done.

Written when an execution is asked for, then only by the worker that holds its lease.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from dashboard.models import (
    Deployment,
    Direction,
    Event,
    LogLine,
    Phase,
    Status,
    Step,
    StepStatus,
    Target,
)
from rollbacks import lifecycle
from rollbacks.observation import plain
from rollbacks.platforms.base import Change, OutcomeState
from rollbacks.strategies import FailureAction, FailureStrategy, journaled

RETRYING = "RETRYING"
UNKNOWN_NOW = "Outcome unknown: the worker was lost meanwhile. Checking."
_SAYS_NOTHING_NEW = {OutcomeState.RUNNING, OutcomeState.UNCHANGED}


@dataclass(frozen=True)
class PlannedStep:
    """One step; `timeout` in seconds; `problem` says why it cannot be done (empty: it can);
    `done_in`: the step of the rollback that is continued, which did it already."""

    name: str
    kind: str
    label: str
    timeout: float
    settings: dict[str, Any]
    undoes: str = ""
    undoes_id: int | None = None
    changes: tuple[Change, ...] = ()
    problem: str = ""
    failure_strategy: FailureStrategy | None = None
    done_in: Step | None = None


@dataclass(frozen=True)
class PlannedPhase:
    """One phase; `gone` are recorded instances that the infrastructure no longer has, `newcomers`
    those of its instances that came after the deployment it undoes."""

    name: str
    direction: Direction
    instances: tuple[str, ...]
    steps: tuple[PlannedStep, ...]
    undoes: str = ""
    undoes_id: int | None = None
    gone: tuple[str, ...] = ()
    newcomers: tuple[str, ...] = ()
    is_undoable: bool = True

    @property
    def own(self) -> tuple[str, ...]:
        """Those that the phase it undoes has deployed."""
        new = set(self.newcomers)
        return tuple(key for key in self.instances if key not in new)


@transaction.atomic
def enqueue(deployment: Deployment, phases: Sequence[PlannedPhase]) -> None:
    """Commit a new deployment with its journal, QUEUED; the caller sends the hint afterwards."""
    deployment.save(force_insert=True)
    add_phases(deployment, phases)
    Event.objects.create(
        deployment=deployment,
        at=deployment.created_at,
        actor=deployment.started_by,
        status=Status.QUEUED,
        message=deployment.note,
    )
    Target.objects.filter(pk=deployment.target_id).update(latest_deployment=deployment)


def add_phases(deployment: Deployment, phases: Sequence[PlannedPhase]) -> None:
    """Append planned phases to the journal."""
    first = deployment.phases.count()
    for position, planned in enumerate(phases, start=first):
        phase = Phase.objects.create(
            deployment=deployment,
            position=position,
            name=planned.name,
            direction=planned.direction,
            undoes_id=planned.undoes_id,
            is_undoable=planned.is_undoable,
            instances=list(planned.instances),
            newcomers=list(planned.newcomers),
        )
        Step.objects.bulk_create(
            Step(
                phase=phase,
                position=index,
                name=step.name,
                kind=step.kind,
                settings=step.settings,
                timeout=step.timeout,
                undoes_id=step.undoes_id,
                failure_strategy=journaled(step.failure_strategy),
                done_in=step.done_in,
                status=StepStatus.SKIPPED if step.done_in else StepStatus.QUEUED,
                message=f"Done by {step.done_in.phase.deployment}." if step.done_in else "",
            )
            for index, step in enumerate(planned.steps)
        )


def write_step(lease: lifecycle.Lease, step_id: int, **fields: Any) -> None:
    """Write a step's row, fenced."""
    if "message" in fields:
        fields["message"] = plain(fields["message"])
    with lifecycle.fenced(lease):
        Step.objects.filter(pk=step_id).update(**fields)


def write_deployment(lease: lifecycle.Lease, **fields: Any) -> None:
    """Write facts (never the status) of the deployment, fenced."""
    with lifecycle.fenced(lease):
        Deployment.objects.filter(pk=lease.deployment_id).update(**fields)


def write_reports(
    lease: lifecycle.Lease, step_id: int, outcomes: Mapping[str, Any], lines: Iterable[LogLine]
) -> None:
    """Write what instances reported since the last time, fenced.

    What an earlier call of the step did remains: a later one finds it so, and says "unchanged".
    """
    with lifecycle.fenced(lease):
        if outcomes:
            kept = Step.objects.values_list("outcomes", flat=True).get(pk=step_id)
            new = {
                key: outcome
                for key, outcome in outcomes.items()
                if outcome["state"] not in _SAYS_NOTHING_NEW
                or kept.get(key, {}).get("state") != OutcomeState.DONE
            }
            Step.objects.filter(pk=step_id).update(outcomes={**kept, **new})
        LogLine.objects.bulk_create(lines)


def warn(lease: lifecycle.Lease, step_id: int, warnings: Iterable[str], now: datetime) -> None:
    """Add warnings to a step's log, fenced; one that an earlier worker left there only once."""
    with lifecycle.fenced(lease):
        told = set(LogLine.objects.filter(step=step_id).values_list("text", flat=True))
        lines = dict.fromkeys(f"Warning: {plain(warning)}" for warning in warnings)
        LogLine.objects.bulk_create(
            LogLine(step_id=step_id, at=now, text=line) for line in lines if line not in told
        )


def close_steps(deployment: Deployment, now: datetime) -> None:
    """An execution ends: what was at work is aborted, what had not begun is skipped.

    In the transaction that writes its end, which is fenced.
    """
    steps = Step.objects.filter(phase__deployment=deployment)
    steps.filter(status=StepStatus.RUNNING).update(status=StepStatus.ABORTED, finished_at=now)
    steps.filter(status=StepStatus.QUEUED).update(status=StepStatus.SKIPPED)


def begin_step(lease: lifecycle.Lease, step: Step, now: datetime) -> None:
    """A worker turns to a step, perhaps not the first one to do so.

    What an instance was in the middle of when the last one was lost may have happened or not.
    """
    outcomes = {
        key: {"state": OutcomeState.UNKNOWN.value, "message": UNKNOWN_NOW}
        if outcome["state"] == OutcomeState.RUNNING
        else outcome
        for key, outcome in step.outcomes.items()
    }
    write_step(
        lease,
        step.pk,
        status=StepStatus.RUNNING,
        started_at=step.started_at or now,
        finished_at=None,
        attempts=step.attempts + 1,
        message="",
        outcomes=outcomes,
    )


def settle(step: Step, action: FailureAction) -> None:
    """Write what follows a step's failure, and that nobody is waited for any more.

    The caller's transaction is fenced, or holds a paused execution's target.
    """
    Deployment.objects.filter(pk=step.phase.deployment_id).update(decision_due_at=None)
    rows = Step.objects.filter(pk=step.pk, status=StepStatus.FAILED)
    if action == FailureAction.RETRY:
        rows.update(status=StepStatus.QUEUED, retries=F("retries") + 1)
    elif action == FailureAction.IGNORE:
        rows.update(status=StepStatus.IGNORED, decision=action)
    else:
        rows.update(decision=action)


def retry(lease: lifecycle.Lease, step: Step, message: str, now: datetime) -> None:
    """A failed step will be tried again: in the history too, where the budget is counted."""
    with lifecycle.fenced(lease):
        settle(step, FailureAction.RETRY)
        Step.objects.filter(pk=step.pk).update(message=plain(message))
        Event.objects.create(
            deployment_id=lease.deployment_id,
            at=now,
            status=Status.RUNNING,
            code=RETRYING,
            message=plain(message),
            epoch=lease.epoch,
        )


def retries_since(target_id: int, since: datetime) -> int:
    """How often steps were tried again on a target, by whichever execution."""
    lately = Q(finished_at__isnull=True) | Q(finished_at__gte=since)
    executions = Deployment.objects.filter(lately, target=target_id)
    return Event.objects.filter(deployment__in=executions, code=RETRYING, at__gte=since).count()


def skip_queued(deployment: Deployment) -> None:
    """What a failed execution will not come to; the caller's transaction is fenced."""
    steps = Step.objects.filter(phase__deployment=deployment, status=StepStatus.QUEUED)
    steps.update(status=StepStatus.SKIPPED)
