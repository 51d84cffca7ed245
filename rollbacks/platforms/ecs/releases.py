"""The service that a release brings: planned at capture, made once, and left without tasks by the
undo."""

from collections.abc import Mapping, Sequence
from typing import Any

from rollbacks.platforms import numbering
from rollbacks.platforms.aws import lineage
from rollbacks.platforms.base import PlatformError, Running, StepSpec
from rollbacks.platforms.ecs import revisions, series, services, sizing, states, waits
from rollbacks.platforms.ecs.calls import AUTOSCALING, ECS, Call, Looks
from rollbacks.platforms.ecs.scaling import ALL_SUSPENDED, Scaling
from rollbacks.platforms.ecs.services import COLOR, Service

FIRST = 2  # tasks of the first service, where nothing else is said


def planned(looks: Looks, spec: StepSpec) -> dict[str, Any]:
    """What a capture keeps: the services of before, and all that the new one is made from.

    Whoever goes on after a dead worker finds the plan, and makes the very same service.
    """
    found = looks.services()
    active = [each for each in found if each.is_active]
    scalings = looks.scalings(each.name for each in active)
    base = looks.one(series.base_of(looks.target))
    number = numbering.next_number(looks.numbers())
    idle = [each.number for each in found if not each.is_active]
    return {
        "services": states.kept(active, scalings),
        "name": series.name_of(looks.key, number),
        "number": number,
        "desired": desired_of(spec.settings, active),
        "before": {str(each.number): each.desired for each in active},
        "suspended": _suspended(active, scalings),
        "source": revisions.source_of(looks, spec.settings, base.definition),
        "superfluous": numbering.superfluous(idle),
    }


def _suspended(active: Sequence[Service], scalings: Mapping[str, Scaling]) -> list[str]:
    """Which scaling the newest scalable target had suspended."""
    found = next((scalings[each.name] for each in active if each.name in scalings), None)
    return sorted(key for key, is_off in found.suspended.items() if is_off) if found else []


def desired_of(settings: Mapping[str, Any], active: Sequence[Service]) -> int:
    """What was written, else as many as run already, else the first time's."""
    if settings["desired"] is not None:
        return int(settings["desired"])
    return sum(each.desired for each in active) or FIRST


def planned_count(service: Service) -> int:
    """What the service is to have in the end, by its tag; what it has, where that is gone."""
    text = service.tags.get(series.DESIRED, "")
    return int(text) if text.isdecimal() else service.desired


class Release:
    """The service of one release, while it is brought or taken away."""

    def __init__(self, call: Call, captured: Mapping[str, Any]) -> None:
        self._call = call
        self._captured = captured

    def bring(self, more: Mapping[str, Any], color: str = "") -> None:
        """The service is there, without tasks; made only where it is not.

        `more`: parameters of CreateService that differ from the base service's.
        """
        call = self._call
        if services.of_release(call.services(), call.spec.release) is None:
            base = call.one(series.base_of(call.target))
            call.write(ECS, "create_service", **self._creation(base, more, color))

    def _creation(self, base: Service, more: Mapping[str, Any], color: str) -> dict[str, Any]:
        call, captured = self._call, self._captured
        if base.is_daemon:
            raise PlatformError(
                f"The base service {base.name} runs one task on each instance: such a service is "
                "updated in place, by ecs.rollout.",
                permanent=True,
            )
        before = {int(each): count for each, count in captured["before"].items()}
        tags = {
            **{key: value for key, value in base.tags.items() if _is_to_be_had(key)},
            **lineage.tags_of(call.series, call.spec.release, captured["number"], before),
            series.DESIRED: str(captured["desired"]),
            series.SUSPENDED: " ".join(captured["suspended"]),
            **({COLOR: color} if color else {}),
        }
        return {
            **services.creation(base, str(call.target.settings["launch_type"])),
            **more,
            "cluster": call.cluster,
            "serviceName": captured["name"],
            "taskDefinition": revisions.brought(call, captured["source"]),
            "clientToken": lineage.token(call.spec.release, call.series)[:32],
            "tags": [{"key": key, "value": value} for key, value in tags.items() if value],
        }

    def clean(self) -> None:
        """Delete what was superfluous already at capture. What cannot be deleted holds up
        nothing: the next deployment tries again."""
        call = self._call
        for service in call.services():
            if service.number not in self._captured["superfluous"] or service.is_active:
                continue
            try:
                if service.name in call.scalings([service.name]):
                    call.write(
                        AUTOSCALING, "deregister_scalable_target", **call.scalable(service.name)
                    )
                call.delete(service)
            except PlatformError as error:
                if not error.permanent:
                    raise
                call.control.log(call.key, f"{service.name} is left there: {error}")

    def end(self) -> Running | None:
        """Without tasks the service stays, as one of the newest few; None once it has none."""
        return waits.down(self._call, {self._captured["name"]: 0})


def _is_to_be_had(tag: str) -> bool:
    """Whether a new service gets this tag of the base service."""
    return not tag.lower().startswith(("aws:", "lastgood:")) and tag != COLOR


def finish(call: Call, new: Service, old: Sequence[Service]) -> None:
    """The release is whole: it scales by itself as the newest old one did, or as the base does."""
    base = series.base_of(call.target)
    found = call.scalings([*(each.name for each in old), base])
    model = next((found[each.name] for each in old if each.name in found), found.get(base))
    names = new.tags.get(series.SUSPENDED, "").split()
    sizing.follow(call, new.name, model, {key: key in names for key in ALL_SUSPENDED})
