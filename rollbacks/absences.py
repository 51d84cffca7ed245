"""Instances that vanish while an execution is at work on them.

Only the group that they came out of can say that one is gone; otherwise no answer is a fault like
any other. What is gone is skipped, by name, and holds up nobody.
"""

from dataclasses import dataclass

from dashboard.models import Deployment, Step
from rollbacks import journal, lifecycle, rosters, specs
from rollbacks.failures import REACHED
from rollbacks.platforms.base import InstanceOutcome, OutcomeState
from rollbacks.pulse import StepControl
from rollbacks.runtime import Runtime

GONE = "No longer in its Auto Scaling group"


@dataclass(frozen=True)
class Absences:
    """Of one claimed execution."""

    lease: lifecycle.Lease
    runtime: Runtime
    deployment: Deployment

    def look(self) -> None:
        """Ask the group, if hosts come out of one."""
        rosters.refresh(self.deployment.target.infrastructure, self.runtime.now())

    def tell(self, step: Step, control: StepControl) -> list[str]:
        """Say of each instance of a step that is gone that it is; which these are."""
        gone = specs.gone(self.deployment, step.phase.instances or ())
        new = [key for key in gone if not _is_told(key, step, control)]
        for key in new:
            control.report(key, InstanceOutcome(OutcomeState.GONE, GONE))
        if new:
            warnings = [f"{key} is no longer in its Auto Scaling group: skipped." for key in new]
            journal.warn(self.lease, step.pk, warnings, self.runtime.now())
        return gone

    def explain(self, step: Step, control: StepControl) -> bool:
        """Whether a failure of the step may be due to nothing but instances that have just gone:
        then it is not one."""
        before = {key for key, state in control.states.items() if state == OutcomeState.GONE}
        gone = set(self.tell(step, control))
        others = [key for key in step.phase.instances or () if key not in gone]
        has_failed = any(control.states.get(key) == OutcomeState.FAILED for key in others)
        return bool(gone - before) and not has_failed

    def are_all_done(self, step: Step, control: StepControl) -> bool:
        """Whether no instance is left that the step has something to do on."""
        gone = specs.gone(self.deployment, step.phase.instances or ())
        others = (key for key in step.phase.instances or () if key not in gone)
        return bool(gone) and all(control.states.get(key) in REACHED for key in others)


def _is_told(key: str, step: Step, control: StepControl) -> bool:
    """What was done before it went remains on record."""
    state = control.states.get(key) or step.outcomes.get(key, {}).get("state")
    return state in (*REACHED, OutcomeState.GONE)
