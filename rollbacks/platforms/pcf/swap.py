"""The step of blue/green that sends everybody to the new app at once, and back."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel

from rollbacks.platforms.base import (
    Change,
    Control,
    Inspection,
    Progress,
    Step,
    StepSpec,
    TargetRef,
)
from rollbacks.platforms.pcf import (
    destinations,
    inspecting,
    moves,
    plans,
    previews,
    routes,
    waits,
)
from rollbacks.platforms.pcf.apps import App
from rollbacks.platforms.pcf.calls import Call
from rollbacks.platforms.pcf.destinations import Destination, Route
from rollbacks.platforms.pcf.settings import SwapSettings


class Swap(Step):
    """The final routes send to the new app, the temporary ones to the old.

    Undone, the old app has its instances again, running, before any route is changed; then each
    route sends exactly where it did.
    """

    kind: ClassVar[str] = "pcf.swap"
    label: ClassVar[str] = "Swap Routes"
    settings_model: ClassVar[type[BaseModel]] = SwapSettings

    def capture(self, target: TargetRef, spec: StepSpec, control: Control) -> dict[str, Any]:
        call = Call(target, spec, control)
        routes.temporary_of(call)
        found = call.apps()
        new = call.new_app(found)
        active = [each for each in found if each.is_active or each == new]
        own = plans.own_routes(call, active, plans.final_routes(new))
        now = plans.serving(
            [each for each in active if each != new], own, target.settings["temporary_routes"]
        )
        return {
            **moves.captured_by(call),
            "routes": destinations.kept(own),
            "serving": now.guid if now else "",
        }

    def apply(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        call = Call(target, spec, control)
        found = call.apps()
        new = call.new_app(found)
        if waits_for := waits.up(call, {new.guid: new.counts}):
            return waits_for
        pairs = _swapped(call, found, new, captured["serving"])
        if waits_for := routes.bring(call, pairs, float(spec.settings["overlap"])):
            return waits_for
        old = moves.old_in(found, captured, spec.release)
        if spec.settings["downsize_old"] and (
            waits_for := moves.shrink(call, ((each, moves.none_of(each)) for each in old))
        ):
            return waits_for
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
        return inspecting.of_swap(target)


def _swapped(
    call: Call, found: Sequence[App], new: App, serving: str
) -> list[tuple[Route, list[Destination]]]:
    """Whom each route is to send to; apps that are not of the series stay where they are."""
    others = [each.guid for each in found if each != new]
    final = plans.final_routes(new)
    pairs = [
        (route, destinations.handed_over(route.destinations, others, new.guid, final[text]))
        for text, route in routes.made(call, final).items()
    ]
    for route in routes.made(call, routes.temporary_of(call)).values():
        wanted = destinations.without(route.destinations, [new.guid])
        pairs.append((route, destinations.with_app(wanted, serving) if serving else wanted))
    return pairs
