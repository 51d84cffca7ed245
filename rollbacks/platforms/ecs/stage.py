"""The step of blue/green that brings a whole new service where nobody is sent yet."""

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
from rollbacks.platforms.ecs import (
    dns,
    inspecting,
    moves,
    previews,
    releases,
    routing,
    series,
    waits,
)
from rollbacks.platforms.ecs.calls import Call, Looks
from rollbacks.platforms.ecs.releases import Release
from rollbacks.platforms.ecs.services import GREEN, Service
from rollbacks.platforms.ecs.settings import SetupSettings
from rollbacks.platforms.ecs.setup import undone


class Stage(Step):
    """As a setup, and then the service gets all its tasks: behind the test listener, or in the
    registry that nobody is sent to.

    Services that have tasks but serve nobody, as the last blue/green deployment may have left them,
    go down to none first.
    """

    kind: ClassVar[str] = "ecs.stage"
    label: ClassVar[str] = "ECS Blue Green Setup"
    settings_model: ClassVar[type[BaseModel]] = SetupSettings
    undoes_later: ClassVar[bool] = True

    def capture(self, target: TargetRef, spec: StepSpec, control: Control) -> dict[str, Any]:
        call = Call(target, spec, control)
        serving, free = places(call)
        found = releases.planned(call, spec)
        active = [each for each in call.services() if each.name in found["services"]]
        idle = [each.name for each in active if serving not in _places_of(each)]
        return {**found, "place": free, "idle": idle}

    def apply(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        call = Call(target, spec, control)
        release = Release(call, captured)
        unused = [(each, 0) for each in call.services() if each.name in captured["idle"]]
        if waits_for := moves.shrink(call, unused):
            return waits_for
        release.bring(self._placed(call, captured["place"]), GREEN)
        release.clean()
        new, count = call.new_service(call.services()), int(captured["desired"])
        if new.desired < count:
            call.resize(new, count)
        if waits_for := waits.up(call, {new.name: count}):
            return waits_for
        return moves.done(call, f"{new.name} has {count} tasks, and serves nobody yet")

    def _placed(self, call: Call, place: str) -> dict[str, Any]:
        """What the base service says of its place, but for the place itself."""
        base = call.one(series.base_of(call.target)).described
        if call.target.settings["listeners"]:
            found = [{**each, "targetGroupArn": place} for each in base.get("loadBalancers") or ()]
            if len(found) != 1:
                raise PlatformError(
                    f"The base service has {len(found)} load balancers; it must have one, which "
                    "says the container and the port that a new service is reached at.",
                    permanent=True,
                )
            return {"loadBalancers": found}
        found = [{**each, "registryArn": place} for each in base.get("serviceRegistries") or ()]
        return {"serviceRegistries": found[:1] or [{"registryArn": place}]}

    def undo(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        return undone(Call(target, spec, control), captured)

    def preview(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Sequence[Change]:
        return previews.of_release(target, spec, captured)

    def inspect(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Inspection:
        if captured is not None:
            return inspecting.of_undo(target, spec, captured)
        places(Looks(target))
        return inspecting.of_setup(target, spec)


def places(looks: Looks) -> tuple[str, str]:
    """The target group or registry that serves, and the one where a new service can wait;
    PlatformError where the infrastructure definition, or what it names, has no such two."""
    settings = looks.target.settings
    if settings["listeners"]:
        return routing.groups_in(routing.listeners_of(looks))
    if settings["route53"]:
        return dns.registries_in(looks, dns.records_of(looks))
    raise PlatformError(
        f"Blue/green needs listeners or route53 in the infrastructure definition "
        f"{looks.target.infrastructure}.",
        permanent=True,
    )


def _places_of(service: Service) -> tuple[str, ...]:
    return (*service.target_groups, *service.registries)
