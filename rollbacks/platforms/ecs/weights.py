"""The step of blue/green that sends a share of all names' answers to the new service, and back."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel

from rollbacks.platforms.aws.balancing import WHOLE
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
from rollbacks.platforms.ecs import dns, inspecting, moves, previews, releases, waits
from rollbacks.platforms.ecs.calls import Call
from rollbacks.platforms.ecs.services import BLUE, GREEN, Service
from rollbacks.platforms.ecs.settings import WeightsSettings


class Weights(Step):
    """Sets the weights of the two records of the infrastructure's name.

    Undone, the old service has its tasks again; then the records are exactly those that were
    captured; the new one shrinks once resolvers have forgotten the others.
    """

    kind: ClassVar[str] = "ecs.weights"
    label: ClassVar[str] = "Change Route 53 Weights"
    settings_model: ClassVar[type[BaseModel]] = WeightsSettings

    def capture(self, target: TargetRef, spec: StepSpec, control: Control) -> dict[str, Any]:
        call = Call(target, spec, control)
        require_record(target)
        return {**moves.captured_by(call), "records": dns.records_of(call)}

    def apply(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        call, weight = Call(target, spec, control), int(spec.settings["weight"])
        found = call.services()
        new, old = call.new_service(found), moves.old_in(found, captured, spec.release)
        if waits_for := waits.up(call, {new.name: new.desired}):
            return waits_for
        if waits_for := dns.bring(call, dns.weighed(call, _registry(new), weight)):
            return waits_for
        if weight == WHOLE:
            call.color(new, BLUE)
            for each in old:
                call.color(each, GREEN)
        if spec.settings["downsize_old"] and any(each.desired for each in old):
            waits_for = dns.forgotten(call) or moves.shrink(call, ((each, 0) for each in old))
            if waits_for:
                return waits_for
        if weight == WHOLE:
            releases.finish(call, new, old)
        return moves.done(call, f"{new.name} gets {weight} % of the traffic")

    def undo(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        return moves.undone(Call(target, spec, control), captured)

    def preview(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Sequence[Change]:
        return previews.of_weights(target, spec, captured)

    def inspect(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Inspection:
        if captured is not None:
            return inspecting.of_undo(target, spec, captured)
        require_record(target)
        return inspecting.of_rights(target, spec)


def require_record(target: TargetRef) -> None:
    """Raises PlatformError."""
    if not target.settings["route53"]:
        raise PlatformError(
            f"The infrastructure definition {target.infrastructure} names no route53 record to "
            "set weights of.",
            permanent=True,
        )


def _registry(new: Service) -> str:
    if len(new.registries) != 1:
        raise PlatformError(
            f"{new.name} is in {len(new.registries)} registries; it must be one.", permanent=True
        )
    return new.registries[0]
