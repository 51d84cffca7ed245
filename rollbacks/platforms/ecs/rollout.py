"""The step that brings a release to services in place, and takes it back."""

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
from rollbacks.platforms.ecs import in_place, previews, revisions, services, sizing
from rollbacks.platforms.ecs.calls import Call, Looks
from rollbacks.platforms.ecs.definitions import short
from rollbacks.platforms.ecs.rolling import Rolling
from rollbacks.platforms.ecs.scaling import Scaling
from rollbacks.platforms.ecs.services import Service
from rollbacks.platforms.ecs.settings import RolloutSettings


class Rollout(Step):
    """Registers a revision of each service's task definition with the release's image, and lets
    ECS roll it out.

    Undone: each service has the task definition, the count, the settings and the auto scaling that
    were captured, whatever has happened since; but a count that its own scaling policies have
    raised stays.
    """

    kind: ClassVar[str] = "ecs.rollout"
    label: ClassVar[str] = "ECS Service Rollout"
    settings_model: ClassVar[type[BaseModel]] = RolloutSettings

    def capture(self, target: TargetRef, spec: StepSpec, control: Control) -> dict[str, Any]:
        looks = Looks(target)
        found = there(looks, spec.instances)
        scalings = looks.scalings(found)
        current = {each.definition for each in found.values()}
        return {
            "services": {name: _state(each, scalings.get(name)) for name, each in found.items()},
            "sources": {
                arn: revisions.source_of(looks, spec.settings, arn) for arn in sorted(current)
            },
        }

    def apply(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        call = Call(target, spec, control)
        found = there(call, spec.instances)
        made = {arn: revisions.brought(call, each) for arn, each in captured["sources"].items()}
        wanted = {name: made[captured["services"][name]["definition"]] for name in found}
        rolling = Rolling(call, wanted)
        for name, service in found.items():
            rolling.change(service, _definition(service, wanted[name]))
        return rolling.follow(f"Runs {spec.artifact.version if spec.artifact else spec.release}")

    def undo(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        call = Call(target, spec, control)
        was = {name: captured["services"][name] for name in spec.instances}
        found = there(call, was)
        scalings = call.scalings(found)
        rolling = Rolling(call, {name: str(each["definition"]) for name, each in was.items()})
        for name, service in found.items():
            changes = _back(service, was[name], scalings.get(name))
            if "scaling" in was[name]:
                wanted = Scaling.parsed(was[name]["scaling"])
                sizing.bring(call, name, wanted, scalings.get(name))
            rolling.change(service, changes)
        names = ", ".join(dict.fromkeys(short(str(each["definition"])) for each in was.values()))
        return rolling.follow(f"Runs {names} again")

    def preview(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Sequence[Change]:
        return previews.of_rollout(spec, captured)

    def inspect(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Inspection:
        return in_place.of_rollout(target, spec, captured)


def there(looks: Looks, names: Sequence[str] | Mapping[str, Any]) -> dict[str, Service]:
    """All of these services; PlatformError where one is missing, or is not ECS's own to update."""
    found = looks.named(names)
    if gone := [each for each in names if each not in found]:
        raise PlatformError(
            f"The cluster {looks.cluster} has no service {', '.join(gone)}.", permanent=True
        )
    for each in found.values():
        if each.controller != "ECS":
            raise PlatformError(
                f"{each.name} is deployed by {each.controller}: Lastgood cannot update it.",
                permanent=True,
            )
    return {name: found[name] for name in names}


def _state(service: Service, scaling: Scaling | None) -> dict[str, Any]:
    return {
        "definition": service.definition,
        "count": None if service.is_daemon else service.desired,
        "settings": services.settings_of(service),
        "scaling": scaling.as_json if scaling else None,
    }


def _definition(service: Service, wanted: str) -> dict[str, str]:
    return {} if service.primary.get("taskDefinition") == wanted else {"taskDefinition": wanted}


def _back(service: Service, was: Mapping[str, Any], scaling: Scaling | None) -> dict[str, Any]:
    """What UpdateService is still to be told."""
    changes = {
        **_definition(service, was["definition"]),
        **services.differing(service, was["settings"]),
    }
    is_raised = scaling is not None and scaling.acts and service.desired > (was["count"] or 0)
    if was["count"] is not None and service.desired != was["count"] and not is_raised:
        changes["desiredCount"] = was["count"]
    return changes
