"""What a person can decide about a step that failed and waits for them."""

from collections.abc import Iterator
from dataclasses import dataclass

from dashboard.models import Deployment, Direction, Status, Step, StepStatus
from rollbacks import lifecycle
from rollbacks.strategies import FailureAction


@dataclass(frozen=True)
class Choice:
    """What can follow; the label says it for a person."""

    action: FailureAction
    label: str
    step: Step


def undecided(deployment: Deployment) -> Step | None:
    """The failed step that a decision is waited for; None: nothing waits for one."""
    if (deployment.status, deployment.code) != (Status.PAUSED, lifecycle.MANUAL_INTERVENTION):
        return None
    failed = Step.objects.filter(
        phase__deployment=deployment, status=StepStatus.FAILED, decision=""
    )
    return failed.select_related("phase").first()


def choices(deployment: Deployment) -> list[Choice]:
    """What can follow now, the least first; none where nothing is to be decided."""
    step = undecided(deployment)
    return [Choice(action, label, step) for action, label in _of(step)] if step else []


def _of(step: Step) -> Iterator[tuple[FailureAction, str]]:
    yield FailureAction.RETRY, f"Retry {step.name}"
    yield FailureAction.IGNORE, "Ignore it and go on"
    if step.phase.direction == Direction.BACK:
        yield FailureAction.END_EXECUTION, "End as failed"
        return
    others = step.phase.deployment.phases.filter(direction=Direction.FORWARD, is_undoable=True)
    if step.phase.is_undoable and others.count() > 1:
        yield FailureAction.ROLLBACK_PHASE, f"Roll back {step.phase.name} only"
    yield FailureAction.ROLLBACK_WORKFLOW, "Roll back all phases"
