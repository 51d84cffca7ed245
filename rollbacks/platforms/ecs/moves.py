"""What the steps share that move tasks or traffic from old services to the new one."""

from collections.abc import Iterable, Mapping
from typing import Any

from rollbacks.platforms import reports
from rollbacks.platforms.base import Done, Progress, Running
from rollbacks.platforms.ecs import sizing, states, waits
from rollbacks.platforms.ecs.back import Back
from rollbacks.platforms.ecs.calls import Call
from rollbacks.platforms.ecs.services import Service


def captured_by(call: Call) -> dict[str, Any]:
    """Every service that has tasks, and the new one, which may have none yet; and which that is:
    once it is deleted nothing else tells that it need not come back."""
    found = call.services()
    new = call.new_service(found)
    kept = [each for each in found if each.is_active or each == new]
    scalings = call.scalings(each.name for each in kept)
    return {"services": states.kept(kept, scalings), "new": new.name}


def old_in(found: Iterable[Service], captured: Mapping[str, Any], release: str) -> list[Service]:
    """Those that had tasks when the step began, newest first, without the new one."""
    return [each for each in found if each.name in captured["services"] and each.release != release]


def shrink(call: Call, kept: Iterable[tuple[Service, int]]) -> Running | None:
    """Let each service have at most so many tasks; none of them grows by this.

    First nothing but us may change its count any more.
    """
    pairs = list(kept)
    scalings = call.scalings(each.name for each, _ in pairs)
    wanted = {}
    for service, count in pairs:
        wanted[service.name] = min(service.desired, count)
        if wanted[service.name] < service.desired:
            sizing.calm(call, service, scalings.get(service.name))
            call.resize(service, wanted[service.name])
    return waits.down(call, wanted)


def undone(call: Call, captured: Mapping[str, Any]) -> Progress:
    """Everything as this step found it."""
    return Back(call, captured).go(is_last=False) or done(call, "As before this step")


def done(call: Call, message: str) -> Done:
    return reports.done(call.control, call.key, message, has_changed=call.has_changed)
