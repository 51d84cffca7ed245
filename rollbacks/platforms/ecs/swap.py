"""The step of blue/green that sends everybody to the new service at once, and back."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel

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
from rollbacks.platforms.ecs import inspecting, moves, previews, releases, routing, waits
from rollbacks.platforms.ecs.calls import Call
from rollbacks.platforms.ecs.services import BLUE, GREEN
from rollbacks.platforms.ecs.settings import SwapSettings


class Swap(Step):
    """The production listener sends to the new service's target group, the test listener to the
    old one's.

    Undone, the old service has its tasks again, healthy in its target group, before the production
    listener is changed.
    """

    kind: ClassVar[str] = "ecs.swap"
    label: ClassVar[str] = "Swap Target Groups"
    settings_model: ClassVar[type[BaseModel]] = SwapSettings

    def capture(self, target: TargetRef, spec: StepSpec, control: Control) -> dict[str, Any]:
        call = Call(target, spec, control)
        require_listeners(target)
        return {**moves.captured_by(call), "listeners": routing.listeners_of(call)}

    def apply(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        call = Call(target, spec, control)
        found = call.services()
        new, old = call.new_service(found), moves.old_in(found, captured, spec.release)
        if waits_for := waits.up(call, {new.name: new.desired}):
            return waits_for
        routing.swap(call, captured["listeners"])
        call.color(new, BLUE)
        for each in old:
            call.color(each, GREEN)
        if spec.settings["downsize_old"] and (
            waits_for := moves.shrink(call, ((each, 0) for each in old))
        ):
            return waits_for
        releases.finish(call, new, old)
        return moves.done(call, f"{new.name} serves")

    def undo(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        return moves.undone(Call(target, spec, control), captured)

    def preview(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Sequence[Change]:
        return previews.of_swap(target, spec, captured)

    def inspect(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Inspection:
        if captured is not None:
            return inspecting.of_undo(target, spec, captured)
        require_listeners(target)
        return inspecting.of_rights(target, spec)


def require_listeners(target: TargetRef) -> None:
    """Raises PlatformError."""
    if not target.settings["listeners"]:
        raise PlatformError(
            f"The infrastructure definition {target.infrastructure} names no listeners to swap "
            "target groups of.",
            permanent=True,
        )
