"""The look after an execution: what each instance shows, and the sentence that says so."""

import logging
from typing import Any

from dashboard.models import Deployment, Direction, Phase, Step
from rollbacks import observation, plan
from rollbacks.observation import Verdict
from rollbacks.platforms.base import Observation, PlatformError

log = logging.getLogger(__name__)

Judged = dict[str, Any]  # {"instances": [{key, identity, version, …, expected, verdict}]}


def look(deployment: Deployment, *, back: bool) -> tuple[Observation, Judged]:
    """What is seen now, and the same with a verdict for each instance.

    `back`: every touched instance must show what it showed before the deployment that is undone
    (for a failed deployment: itself) began; otherwise, the version that was deployed.
    """
    before = (deployment.rolls_back or deployment).before if back else None
    try:
        seen = observation.observe(deployment.target)
    except PlatformError as error:
        log.warning("Deployment %s: nothing could be seen (%s).", deployment.pk, error)
        seen = Observation(())
    judged = observation.judged(
        seen,
        touched=instances(deployment, Direction.BACK if back else Direction.FORWARD),
        before=before,
        version=plan.version_of(deployment),
    )
    return seen, judged


def instances(deployment: Deployment, direction: Direction) -> set[str]:
    """The instances an execution is about, in one direction."""
    phases = Phase.objects.filter(deployment=deployment, direction=direction)
    return {key for phase in phases for key in phase.instances or ()}


def having(after: Judged, verdict: Verdict) -> list[str]:
    """The keys of the instances with this verdict."""
    return [each["key"] for each in after["instances"] if each["verdict"] == verdict]


def sentence(deployment: Deployment, after: Judged) -> str:
    """What makes a success one."""
    if deployment.rolls_back_id is not None:
        count = len(having(after, Verdict.ROLLED_BACK))
        seen = "the instance" if count == 1 else f"all {count} instances"
        return f"Seen on {seen}: as before deployment {deployment.rolls_back_id}."
    shown = len(having(after, Verdict.DEPLOYED))
    wanted = len(instances(deployment, Direction.FORWARD))
    return f"Seen on {shown} of {wanted} instances: {plan.version_of(deployment) or 'deployed'}."


def left_at(deployment: Deployment, after: Judged) -> str:
    """Where an aborted execution left each instance it had begun on."""
    steps = Step.objects.filter(phase__deployment=deployment)
    touched = {key for step in steps for key in step.outcomes}
    left = [
        f"{each['key']} at {_shown(each)}" for each in after["instances"] if each["key"] in touched
    ]
    return f"Left as they are: {', '.join(left)}." if left else "No instance was touched."


def _shown(each: dict[str, Any]) -> str:
    if each["identity"] is None:
        return "an unknown version (no answer)"
    return each["version"] or "nothing of ours"
