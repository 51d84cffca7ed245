"""Steps that every platform has."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from rollbacks.platforms.base import (
    Change,
    Control,
    Done,
    InstanceOutcome,
    OutcomeState,
    Progress,
    Running,
    Step,
    StepSpec,
    TargetRef,
)


class WaitSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    seconds: float = Field(gt=0, le=3600)


class Wait(Step):
    """Lets time pass, for example while caches drain; undoing it does nothing."""

    kind: ClassVar[str] = "wait"
    label: ClassVar[str] = "Wait"
    settings_model: ClassVar[type[BaseModel]] = WaitSettings

    def capture(self, target: TargetRef, spec: StepSpec, control: Control) -> dict[str, Any]:
        return {"until": time.time() + float(spec.settings["seconds"])}

    def apply(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        left = float(captured["until"]) - time.time()
        if left > 0:
            return Running(f"{left:.0f} s left", again_in=left)
        return self._done(spec, control)

    def undo(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        return self._done(spec, control)

    def _done(self, spec: StepSpec, control: Control) -> Progress:
        for instance in spec.instances:
            control.report(instance, InstanceOutcome(OutcomeState.UNCHANGED, "Waited"))
        return Done()

    def preview(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Sequence[Change]:
        return ()
