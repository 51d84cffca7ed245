"""What the steps share that move instances or traffic from old apps to the new one."""

from collections.abc import Iterable, Mapping
from typing import Any

from rollbacks.platforms import reports
from rollbacks.platforms.base import Done, Progress, Running
from rollbacks.platforms.pcf import scaling, states, waits
from rollbacks.platforms.pcf.apps import App
from rollbacks.platforms.pcf.back import Back
from rollbacks.platforms.pcf.calls import Call


def captured_by(call: Call) -> dict[str, Any]:
    """Every app that has instances, and the new one, which may have none yet; and which that is:
    once it is deleted nothing else tells that it need not come back."""
    found = call.apps()
    new = call.new_app(found)
    active = [each for each in found if each.is_active or each == new]
    return {"apps": states.kept(states.states_of(call, active)), "new": new.guid}


def old_in(found: Iterable[App], captured: Mapping[str, Any], release: str) -> list[App]:
    """Those that had instances when the step began, newest first, without the new one."""
    return [each for each in found if each.guid in captured["apps"] and each.release != release]


def shrink(call: Call, kept: Iterable[tuple[App, Mapping[str, int]]]) -> Running | None:
    """Let each app have at most so many instances of each type; none of them grows by this.

    First nothing but us may change their number any more.
    """
    wanted = {}
    for app, most in kept:
        left = {kind: min(now, most.get(kind, now)) for kind, now in app.counts.items()}
        if left != app.counts:
            scaling.calm(call, app.guid)
        for kind, count in left.items():
            if app.is_started:
                call.scale(app, kind, instances=count)
        wanted[app.guid] = left
    return waits.down(call, wanted)


def none_of(app: App) -> dict[str, int]:
    return dict.fromkeys(app.processes, 0)


def undone(call: Call, captured: Mapping[str, Any]) -> Progress:
    """Everything as this step found it."""
    return Back(call, captured).go(is_last=False) or done(call, "As before this step")


def done(call: Call, message: str) -> Done:
    return reports.done(call.control, call.key, message, has_changed=call.has_changed)
