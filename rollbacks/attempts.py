"""One step of an execution: the platform is called again and again until it says done.

After a passing fault it is called again, after a lasting one the step has failed; unless it was
about nothing but instances that have gone meanwhile.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from dashboard.models import Deployment, Step
from rollbacks import journal, lifecycle, specs
from rollbacks.absences import Absences
from rollbacks.failures import StepFailed, require_every_outcome
from rollbacks.platforms.base import Done, PlatformError, Progress, Running
from rollbacks.platforms.base import Step as StepKind
from rollbacks.pulse import Pulse, StepControl
from rollbacks.runtime import Runtime

LONGEST_RETRY_SECONDS = 30.0
Result = TypeVar("Result")


@dataclass
class Attempts:
    """Of one claimed execution. `retry`: seconds until the second attempt at most, then longer."""

    lease: lifecycle.Lease
    pulse: Pulse
    runtime: Runtime
    deployment: Deployment
    absences: Absences
    retry: float
    _faults: int = field(default=0, init=False)  # passing ones, one after the other

    def until_done(self, step: Step, control: StepControl, deadline: float) -> None:
        """Raises StepFailed where it cannot be, or not in time, and Stopped."""
        call = self._prepared(step, control, deadline)
        while True:
            self.pulse.safe_point()
            progress = self._watched(call, step, control)
            if isinstance(progress, Done) or self.absences.are_all_done(step, control):
                require_every_outcome(step, control, self.absences.tell(step, control))
                return
            self._hold_on(step, progress, deadline)

    def _prepared(
        self, step: Step, control: StepControl, deadline: float
    ) -> Callable[[], Progress]:
        """The call to repeat: `undo` with the earlier capture, or `apply` after a capture."""
        try:
            kind = specs.kind_of(self.deployment.target, step.kind)
            specs.as_it_is(self.deployment, step)
        except PlatformError as error:
            raise StepFailed(str(error)) from None
        act = kind.apply if step.undoes is None else kind.undo
        captured = self._captured(step, kind, control, deadline)

        def call() -> Progress:
            return act(*specs.as_it_is(self.deployment, step), captured, control)

        return call

    def _captured(
        self, step: Step, kind: StepKind, control: StepControl, deadline: float
    ) -> dict[str, Any]:
        """What is returned to; of a step that brings something, looked at and kept before it."""

        def capture() -> dict[str, Any]:
            return kind.capture(*specs.as_it_is(self.deployment, step), control)

        if step.undoes is not None:
            return step.undoes.captured or {}
        while step.captured is None:
            found = self._watched(capture, step, control)
            if isinstance(found, Running):
                self._hold_on(step, found, deadline)
                continue
            journal.write_step(self.lease, step.pk, captured=found)
            step.captured = found
        kept: dict[str, Any] = step.captured
        return kept

    def _watched(
        self, call: Callable[[], Result], step: Step, control: StepControl
    ) -> Result | Running:
        """The answer; where it is not there yet, whatever has gone meanwhile is left out next."""
        try:
            found = self._attempt(call)
        except StepFailed as failure:
            self.absences.look()
            if not self.absences.explain(step, control):
                raise
            return Running(str(failure), 0)
        if isinstance(found, Running):
            self.absences.look()
            self.absences.tell(step, control)
        return found

    def _attempt(self, call: Callable[[], Result]) -> Result | Running:
        try:
            found = call()
        except PlatformError as error:
            if error.permanent:
                raise StepFailed(str(error)) from None
            self._faults += 1
            ceiling = min(LONGEST_RETRY_SECONDS, self.retry * 2.0 ** (self._faults - 1))
            return Running(str(error), self.runtime.uniform(0, ceiling))
        self._faults = 0
        return found

    def _hold_on(self, step: Step, progress: Running, deadline: float) -> None:
        """Wait as long as the platform asked, unless the step's time is over."""
        if self.runtime.monotonic() + progress.again_in >= deadline:
            raise StepFailed(f"{progress.message} (gave up after {step.timeout:g} s)")
        self.pulse.flush()
        journal.write_step(self.lease, step.pk, message=progress.message)
        self.pulse.wait(progress.again_in)
