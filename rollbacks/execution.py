"""What a worker does: one loop, forwards and back.

It claims the execution, goes through the journal step by step, and proves the result by looking.
A successor finds in the journal where to go on; every platform call may be repeated.
"""

import logging
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

from django.db import InterfaceError, OperationalError, transaction

from dashboard.models import Deployment, Direction, Status, Step, StepStatus
from dashboard.operating import counts
from rollbacks import journal, lifecycle, observation, plan, proof, readiness, rights, specs
from rollbacks.absences import Absences
from rollbacks.attempts import Attempts
from rollbacks.failures import Ended, Failures, StepFailed
from rollbacks.observation import plain
from rollbacks.platforms import staying
from rollbacks.platforms.base import Observation, PlatformError, Stopped
from rollbacks.pulse import Pulse
from rollbacks.runtime import MACHINE, Runtime
from rollbacks.strategies import FailureAction
from rollbacks.verdicts import Verdict

log = logging.getLogger(__name__)

RETRY_SECONDS = 3.0
LOOKS_BEFORE = LOOKS_AFTER = 4
_PASSED = (StepStatus.SUCCEEDED, StepStatus.SKIPPED, StepStatus.IGNORED)


def execute(deployment_id: int, owner: str, runtime: Runtime = MACHINE) -> None:
    """Claim the execution and work on it to its end, a pause, or the loss of the lease."""
    began = runtime.monotonic()
    lease = lifecycle.claim(deployment_id, owner, runtime.shared_now())
    if lease is None:
        return
    log.info("Deployment %s: claimed with epoch %s.", deployment_id, lease.epoch)
    with Pulse(lease, runtime, since=began) as pulse, staying(pulse.require_lease):
        try:
            Execution(lease, pulse, runtime).run()
        except lifecycle.LeaseLost as error:
            counts.LEASES_LOST.inc()
            log.warning("%s", error)


class Execution:
    """One claimed execution."""

    def __init__(self, lease: lifecycle.Lease, pulse: Pulse, runtime: Runtime) -> None:
        self.lease = lease
        self.pulse = pulse
        self.runtime = runtime
        self._seen: tuple[Observation, datetime] | None = None
        self._has_begun = False  # any step
        self.deployment = (
            Deployment.objects.with_names()
            .select_related(
                "revision",
                "replaces__artifact",
                "resumed_by",
                "target__infrastructure__connector",
            )
            .get(pk=lease.deployment_id)
        )
        self._failures = Failures(lease, pulse, runtime, self.deployment)
        self._absences = Absences(lease, runtime, self.deployment)
        self._attempts = Attempts(
            lease, pulse, runtime, self.deployment, self._absences, retry=RETRY_SECONDS
        )

    def run(self) -> None:
        """Work until the execution has come to rest, and write down where it did."""
        try:
            self._work()
        except Ended as end:
            self._rest(end)
        except (Stopped, lifecycle.IllegalTransition):
            self._stopped()
        except (lifecycle.LeaseLost, OperationalError, InterfaceError):
            # A database that is away or busy for a moment decides nothing: a successor goes on.
            raise
        except Exception as error:
            # Our own fault: it pauses with the exception's name, so that nothing is lost.
            log.exception("Deployment %s: internal error.", self.deployment.pk)
            self._rest(
                Ended(
                    Status.PAUSED,
                    "INTERNAL_ERROR",
                    f"Lastgood itself failed ({type(error).__name__}); the worker's log has more. "
                    "Resume to try again, or abort.",
                )
            )

    def _work(self) -> None:
        self._require_not_aborted()
        self._require_current()
        self._absences.look()
        self._look_before()
        self._require_ready()
        if self.deployment.is_rollback:
            self._go_back()
        else:
            self._go_forward()

    def _go_back(self) -> None:
        try:
            self._run_steps(Direction.BACK)
        except StepFailed as failure:
            self._look_after(back=True, begun_only=True)
            raise Ended(Status.FAILED, "STEP_FAILED", str(failure)) from None
        after = self._look_after(back=True, looks=LOOKS_AFTER)
        self._require_as_before(after)
        raise Ended(Status.SUCCEEDED, "VERIFIED", proof.sentence(self.deployment, after))

    def _go_forward(self) -> None:
        if not self._is_going_back():
            try:
                self._run_steps(Direction.FORWARD)
            except StepFailed:
                pass
            else:
                after = self._look_after(back=False)
                is_shown = proof.is_shown_everywhere(self.deployment, after)
                code = "VERIFIED" if is_shown else "UNVERIFIED"
                raise Ended(Status.SUCCEEDED, code, proof.sentence(self.deployment, after))
        self._undo_what_was_done()

    def _undo_what_was_done(self) -> None:
        """The very steps a post-deployment rollback runs: of every phase, or of the failed one."""
        failed = self._failed_step()
        why = f"{failed.name}: {failed.message}"
        is_partial = failed.decision == FailureAction.ROLLBACK_PHASE
        if not self._is_going_back():
            phases = plan.undo_of_failed(self.deployment, failed.phase if is_partial else None)
            with lifecycle.fenced(self.lease):
                journal.skip_queued(self.deployment)
                journal.add_phases(self.deployment, phases)
        try:
            self._run_steps(Direction.BACK)
        except StepFailed as failure:
            self._look_after(back=True, begun_only=True)
            message = f"{why}. Then the rollback failed: {failure}"
            raise Ended(Status.FAILED, "ROLLBACK_FAILED", message) from None
        after = self._look_after(back=True, looks=LOOKS_AFTER)
        self._require_as_before(after, f"{why}. Then: ")
        if is_partial:
            done = "rolled back" if self._is_going_back() else "not touched"
            message = f"{why}. {failed.phase.name} was {done}; earlier phases stay deployed."
            raise Ended(Status.FAILED, "PHASE_ROLLED_BACK", message)
        raise Ended(Status.FAILED, "ROLLED_BACK", f"{why}. {proof.undone(self.deployment)}")

    def _is_going_back(self) -> bool:
        """Whether the rollback steps have been planned, or are all there is."""
        backwards = self.deployment.phases.filter(direction=Direction.BACK)
        return self.deployment.is_rollback or backwards.exists()

    def _failed_step(self) -> Step:
        """What a deployment failed at."""
        return Step.objects.select_related("phase").get(
            phase__deployment=self.deployment,
            phase__direction=Direction.FORWARD,
            status=StepStatus.FAILED,
        )

    def _require_current(self) -> None:
        """A rollback that waited while something newer succeeded must not undo it."""
        undone = self.deployment.rolls_back_id
        if undone not in (None, self.deployment.target.current_deployment_id):
            raise Ended(
                Status.FAILED,
                "NOT_CURRENT",
                f"Deployment {undone} was no longer the current one; nothing was touched.",
            )

    def _look_before(self) -> None:
        """Keep what runs before anything is touched: what a rollback will have to show again."""
        if self.deployment.before is not None:
            return
        for _ in range(LOOKS_BEFORE):
            missing = self._look_before_once()
            if not missing or self.deployment.is_rollback:
                return
            self.pulse.wait(RETRY_SECONDS)
        raise Ended(Status.FAILED, "NOT_SEEN", f"{missing.rstrip('.')}. Nothing was touched.")

    def _look_before_once(self) -> str:
        wanted = proof.instances(self.deployment, Direction.FORWARD)
        try:
            found = observation.observe(
                self.deployment.target, besides=wanted, goes_back=self.deployment.is_rollback
            )
            wanted.difference_update(specs.gone(self.deployment, wanted))
        except PlatformError as error:
            return str(error)
        seen = observation.as_json(found)
        return self._require_seen(seen, wanted)

    def _require_seen(self, seen: dict[str, Any], wanted: Collection[str]) -> str:
        found = observation.identities(seen)
        if unseen := sorted(key for key in wanted if found.get(key) is None):
            messages = {each["key"]: each["message"] for each in seen["instances"]}
            return " ".join(messages.get(key) or f"{key} was not seen." for key in unseen)
        journal.write_deployment(self.lease, before=seen)
        self.deployment.before = seen
        return ""

    def _require_ready(self) -> None:
        """Nothing is begun that the platform says cannot be done."""
        back = self.deployment.is_rollback
        steps = self._steps(Direction.BACK if back else Direction.FORWARD)
        told = readiness.ask(
            self.deployment, steps, self.pulse, tries=LOOKS_BEFORE, pause=RETRY_SECONDS
        )
        for step_id, warnings in told.warnings.items():
            journal.warn(self.lease, step_id, warnings, self.runtime.now())
        if told.problems:
            message = f"{' '.join(told.problems)} Nothing was touched."
            raise Ended(Status.FAILED, "NOT_READY", message)

    def _run_steps(self, direction: Direction) -> None:
        for step in self._steps(direction):
            self._run_step(step)

    def _steps(self, direction: Direction) -> Iterator[Step]:
        steps = Step.objects.filter(
            phase__deployment=self.deployment, phase__direction=direction
        ).exclude(status__in=_PASSED)
        yield from steps.select_related("phase", "undoes").order_by("phase__position", "position")

    def _run_step(self, step: Step) -> None:
        """Run it until it has passed; raises StepFailed where its failure ends the way on."""
        while step.status not in _PASSED:
            if step.status == StepStatus.FAILED:
                self._failures.answer(step)
            else:
                self._try_step(step)

    def _try_step(self, step: Step) -> None:
        self._require_right()
        deadline = self.runtime.monotonic() + step.timeout
        control = self.pulse.control(step.pk, deadline)
        began = self.runtime.now()
        self._has_begun = True
        journal.begin_step(self.lease, step, began)
        try:
            self._attempts.until_done(step, control, deadline)
            status, message = StepStatus.SUCCEEDED, ""
        except StepFailed as failure:
            status, message = StepStatus.FAILED, str(failure)
        self.pulse.flush()
        ended = self.runtime.now()
        journal.write_step(self.lease, step.pk, status=status, message=message, finished_at=ended)
        seconds = (ended - (step.started_at or began)).total_seconds()
        counts.STEP_SECONDS.labels(step.kind, step.phase.direction).observe(seconds)
        step.status, step.message = status, message

    def _require_not_aborted(self) -> None:
        """Ask the row: the pulse of a worker that has just begun has not looked yet."""
        self.pulse.safe_point()
        if self.deployment.status == Status.ABORTING:
            raise Stopped("the execution was aborted")

    def _require_right(self) -> None:
        self.deployment.refresh_from_db(fields=["status", "started_by", "resumed_by"])
        self._require_not_aborted()
        actor = self.deployment.responsible
        allowed, needed = rights.to_work_on(actor, self.deployment)
        if not allowed:
            raise Ended(
                Status.PAUSED,
                lifecycle.RIGHT_LOST,
                f"{actor.label} may no longer do this ({needed}). Nothing more was changed. "
                "Somebody who may can resume it.",
            )

    def _look_after(self, *, back: bool, begun_only: bool = False, looks: int = 1) -> proof.Judged:
        """Look, judge, and keep it as the evidence; again where something gave no answer."""
        for left in reversed(range(looks)):
            looked_at = self.runtime.now()
            self._absences.look()
            seen, after = proof.look(self.deployment, back=back, begun_only=begun_only)
            if not left or not proof.having(after, Verdict.UNKNOWN):
                break
            self.pulse.wait(RETRY_SECONDS)
        journal.write_deployment(self.lease, after=after)
        self._seen = (seen, looked_at) if seen else None
        return after

    def _require_as_before(self, after: proof.Judged, why: str = "") -> None:
        """Only what is seen running makes a rollback one."""
        self.pulse.checkpoint()
        if unknown := proof.having(after, Verdict.UNKNOWN):
            raise Ended(
                Status.PAUSED,
                "UNVERIFIED",
                f"{why}Every step is done, but what runs could not be seen on "
                f"{', '.join(unknown)}. Resume to look again, or abort.",
            )
        if different := proof.having(after, Verdict.DIFFERENT):
            raise Ended(
                Status.FAILED,
                "VERIFICATION_FAILED",
                f"{why}Not as before: {', '.join(different)}.",
            )

    def _stopped(self) -> None:
        """Aborted: say what each instance was left at. Otherwise give it back for another worker:
        this one ends, or can no longer rely on its lease."""
        if lifecycle.status_of(self.lease) != Status.ABORTING:
            self.pulse.end()
            self.pulse.flush()
            lifecycle.release(self.lease, self.runtime.shared_now())
            return
        back = self._is_going_back()
        after = self._look_after(back=back, begun_only=True)
        left = proof.left_at(self.deployment, after, is_inherited=not self._has_begun)
        by = self.deployment.events.filter(status=Status.ABORTING).latest("pk").message
        self._rest(Ended(Status.ABORTED, "ABORTED", f"{by} {left}"))

    def _rest(self, end: Ended) -> None:
        """Write the status and close the journal, in one: a successor finds both or neither.

        Then refresh what the panel shows.
        """
        now = self.runtime.now()
        self.pulse.flush()
        fields: dict[str, Any] = {"decision_due_at": end.decision_due_at}
        is_over = end.status != Status.PAUSED
        if is_over:
            fields["finished_at"] = now
        try:
            with transaction.atomic():
                lifecycle.advance(
                    self.deployment.pk, end.status, now=now, epoch=self.lease.epoch,
                    code=end.code, message=plain(str(end)), **fields,
                )  # fmt: skip
                if is_over:
                    journal.close_steps(self.deployment, now)
        except lifecycle.IllegalTransition:
            self._stopped()
            return
        log.info("Deployment %s: %s %s.", self.deployment.pk, end.status, end.code)
        if self._seen is not None:
            observation.record(self.deployment.target, *self._seen)
