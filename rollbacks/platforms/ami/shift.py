"""The step of blue/green that sends a share of the traffic to the new group, and back."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel

from rollbacks.platforms.ami import (
    inspecting,
    moves,
    previews,
    releases,
    waits,
)
from rollbacks.platforms.ami.calls import Call
from rollbacks.platforms.ami.groups import Group
from rollbacks.platforms.ami.settings import ShiftSettings
from rollbacks.platforms.aws import balancing
from rollbacks.platforms.base import (
    Change,
    Control,
    Inspection,
    PlatformError,
    Progress,
    Step,
    StepSpec,
    TargetRef,
)


class Shift(Step):
    """Sets the weight of the new group's target group on the listener rule; the other gets the
    rest.

    Undone, the rule does exactly what it did, once the old groups have their instances again.
    """

    kind: ClassVar[str] = "ami.shift"
    label: ClassVar[str] = "Shift Traffic Weight"
    settings_model: ClassVar[type[BaseModel]] = ShiftSettings

    def capture(self, target: TargetRef, spec: StepSpec, control: Control) -> dict[str, Any]:
        call = Call(target, spec, control)
        return {
            **moves.captured_by(call),
            "actions": balancing.actions_of(call, rule_of(target)),
        }

    def apply(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        call, weight = Call(target, spec, control), int(spec.settings["weight"])
        found = call.groups()
        new, old = call.new_group(found), moves.old_in(found, captured, spec.release)
        if waits_for := waits.up(call, {new.name: new.sizes.desired}):
            return waits_for
        share = balancing.weighed(captured["actions"], _own(new, captured["actions"]), weight)
        balancing.bring_actions(call, rule_of(target), share)
        if spec.settings["downsize_old"] and (
            waits_for := moves.shrink(call, ((each, 0) for each in old))
        ):
            return waits_for
        if weight == balancing.WHOLE:
            releases.finish(call, new, is_scheduled=bool(spec.settings["scheduled_actions"]))
        return moves.done(call, f"{new.name} gets {weight} % of the traffic")

    def undo(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        return moves.undone(Call(target, spec, control), captured)

    def preview(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Sequence[Change]:
        return previews.of_shift(target, spec, captured)

    def inspect(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Inspection:
        if captured is not None:
            return inspecting.of_undo(target, spec, captured)
        rule_of(target)
        return inspecting.of_rights(target, spec)


def rule_of(target: TargetRef) -> str:
    """The listener rule of the infrastructure definition; PlatformError where it names none."""
    if not target.settings["listener_rule"]:
        raise PlatformError(
            f"The infrastructure definition {target.infrastructure} names no listener_rule to "
            "shift traffic on.",
            permanent=True,
        )
    return str(target.settings["listener_rule"])


def _own(new: Group, actions: balancing.Actions) -> str:
    """The target group of the rule that the new group is attached to."""
    found = [arn for arn in balancing.weights(actions) if arn in new.target_groups]
    if len(found) != 1:
        raise PlatformError(
            f"{new.name} is attached to {len(found)} target groups of the listener rule; it must "
            "be one.",
            permanent=True,
        )
    return found[0]
