"""The step of blue/green that sends everybody to the new group at once, and back."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel

from rollbacks.platforms.ami import inspecting, moves, previews, releases, waits
from rollbacks.platforms.ami.calls import Call
from rollbacks.platforms.ami.settings import SwitchSettings
from rollbacks.platforms.base import (
    Change,
    Control,
    Inspection,
    Progress,
    Step,
    StepSpec,
    TargetRef,
)


class Switch(Step):
    """Attaches the serving target groups to the new group, and then detaches the old ones.

    Undone, the old groups have their instances and target groups again, healthy, before the new
    one is detached.
    """

    kind: ClassVar[str] = "ami.switch"
    label: ClassVar[str] = "Switch Auto Scaling Group Route"
    settings_model: ClassVar[type[BaseModel]] = SwitchSettings

    def capture(self, target: TargetRef, spec: StepSpec, control: Control) -> dict[str, Any]:
        return moves.captured_by(Call(target, spec, control))

    def apply(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        call = Call(target, spec, control)
        found = call.groups()
        new, old = call.new_group(found), moves.old_in(found, captured, spec.release)
        serving, stage = target.settings["target_groups"], target.settings["stage_target_groups"]
        call.attach(new, serving)
        if waits_for := waits.up(call, {new.name: new.sizes.desired}):
            return waits_for
        call.detach(new, stage)
        for each in old:
            call.detach(each, serving)
        if spec.settings["downsize_old"] and (
            waits_for := moves.shrink(call, ((each, 0) for each in old))
        ):
            return waits_for
        releases.finish(call, new, is_scheduled=bool(spec.settings["scheduled_actions"]))
        return moves.done(call, f"{new.name} serves")

    def undo(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        return moves.undone(Call(target, spec, control), captured)

    def preview(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Sequence[Change]:
        return previews.of_switch(target, spec, captured)

    def inspect(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Inspection:
        if captured is not None:
            return inspecting.of_undo(target, spec, captured)
        return inspecting.of_rights(target, spec)
