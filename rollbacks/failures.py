"""What follows when a step has failed: what its failure strategy says, or what was decided.

Every decision is a row before it is acted upon, so that a successor comes to the same one.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from dashboard.models import Deployment, Direction, Status, Step
from rollbacks import journal, lifecycle, strategies
from rollbacks.platforms.base import OutcomeState, Stopped
from rollbacks.pulse import Pulse, StepControl
from rollbacks.runtime import Runtime
from rollbacks.strategies import FailureAction, FailureStrategy

REACHED = {OutcomeState.DONE, OutcomeState.UNCHANGED}

BUDGET_LASTS = timedelta(hours=1)


class StepFailed(Exception):
    """A step cannot reach what it is for; the message says why, for a person."""


class Ended(Exception):
    """The execution comes to rest in this status, for this reason.

    `decision_due_at`: until then a person is waited for who decides what follows a failure.
    """

    def __init__(
        self, status: Status, code: str, message: str, decision_due_at: datetime | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.decision_due_at = decision_due_at


@dataclass(frozen=True)
class Failures:
    """Answers the failures of one claimed execution."""

    lease: lifecycle.Lease
    pulse: Pulse
    runtime: Runtime
    deployment: Deployment

    def answer(self, step: Step) -> None:
        """Returns once the step has been passed over, or is to be tried again.

        Raises StepFailed where the way on ends, Ended where a person is to decide, Stopped where
        the execution was aborted.
        """
        if step.decision:
            self._follow(step, FailureAction(step.decision))
            return
        back = step.phase.direction == Direction.BACK
        strategy = strategies.of_step(
            step.failure_strategy, back=back, retried=step.retries, may_retry=self._may_retry()
        )
        if strategy.action == FailureAction.MANUAL_INTERVENTION:
            strategy = self._after_waiting(step, strategy, strategies.default(back=back))
        if strategy.action == FailureAction.RETRY:
            self._retry(step, strategy)
            return
        with lifecycle.fenced(self.lease):
            journal.settle(step, strategy.action)
        self.deployment.decision_due_at = None
        self._follow(step, strategy.action)
        step.refresh_from_db(fields=["status"])

    def _may_retry(self) -> bool:
        """Whether the target's budget lasts: an outage must not be answered by a storm."""
        since = self.runtime.now() - BUDGET_LASTS
        spent = journal.retries_since(self.deployment.target_id, since)
        return spent < settings.RETRIES_PER_HOUR

    def _retry(self, step: Step, strategy: FailureStrategy) -> None:
        seconds = self.runtime.uniform(0, strategy.ceiling(step.retries))
        retry = f"Retry {step.retries + 1} of {strategy.retries} in {seconds:.0f} s."
        journal.retry(self.lease, step, f"{_told(step)}. {retry}", self.runtime.now())
        self.pulse.wait(seconds)
        step.refresh_from_db(fields=["status", "retries", "outcomes", "attempts"])

    def _after_waiting(
        self, step: Step, strategy: FailureStrategy, default: FailureStrategy
    ) -> FailureStrategy:
        """Pause for a person to decide; where that was waited for in vain, what is to follow."""
        due, now = self.deployment.decision_due_at, self.runtime.shared_now()
        sequel = strategy.then or default
        if due is not None and due <= now:
            return sequel
        due = due or now + timedelta(seconds=strategy.timeout)
        raise Ended(
            Status.PAUSED,
            lifecycle.MANUAL_INTERVENTION,
            f"{_told(step)}. Decide what is to follow: "
            f"if nobody does by {due:%Y-%m-%d %H:%M %Z}, {sequel.sentence}.",
            decision_due_at=due,
        )

    def _follow(self, step: Step, action: FailureAction) -> None:
        """Go where the decision leads: on, back, or to an end."""
        if action == FailureAction.IGNORE:
            return
        if action == FailureAction.ABORT_WORKFLOW:
            lifecycle.advance(
                self.deployment.pk, Status.ABORTING, now=self.runtime.now(),
                epoch=self.lease.epoch, code=lifecycle.ABORTED_BY,
                message=f"{_told(step)}. Aborted, as the workflow says.",
            )  # fmt: skip
            raise Stopped("the execution was aborted")
        raise StepFailed(f"{step.name}: {step.message}")


def _told(step: Step) -> str:
    return f"{step.name}: {step.message.rstrip('.')}"


def require_every_outcome(step: Step, control: StepControl, gone: Collection[str]) -> None:
    """A platform that says Done must have said so of every instance that is still there."""
    keys = (key for key in step.phase.instances or () if key not in gone)
    if missing := [key for key in keys if control.states.get(key) not in REACHED]:
        raise StepFailed(f"no outcome is known for {', '.join(missing)}")
