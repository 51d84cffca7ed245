"""A rollback that goes on where an earlier one failed or was aborted.

Undoing is repeated, since it does only what is still missing; what has no undo, such as a script
that ran to its end, is not done twice.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dashboard.models import Deployment, Direction, Status, Step, StepStatus

Key = tuple[int | None, str, str, str, tuple[str, ...]]


def unfinished(deployment: Deployment) -> Deployment | None:
    """The rollback of this deployment that failed or was aborted and is the latest execution on
    the target, so that nothing else has touched what it left."""
    latest = deployment.target.latest_deployment
    is_unfinished = (
        latest is not None
        and latest.rolls_back_id == deployment.pk
        and latest.status in (Status.FAILED, Status.ABORTED)
    )
    return latest if is_unfinished else None


def done_by(earlier: Deployment | None) -> Mapping[Key, Step]:
    """The steps that need not be done again, as the rows of whichever rollback did them."""
    if earlier is None:
        return {}
    steps = Step.objects.filter(
        phase__deployment=earlier, phase__direction=Direction.BACK, undoes__isnull=True
    ).select_related("phase__deployment", "done_in__phase__deployment")
    return {
        key(step.phase.undoes_id, step, step.phase.instances or ()): step.done_in or step
        for step in steps
        if step.done_in is not None or step.status == StepStatus.SUCCEEDED
    }


def key(undoes_id: int | None, step: Any, instances: Sequence[str]) -> Key:
    """Equal for two steps (journaled or as a workflow defines them) that do the same."""
    content = json.dumps(step.settings, sort_keys=True)
    return undoes_id, step.name, step.kind, content, tuple(instances)
