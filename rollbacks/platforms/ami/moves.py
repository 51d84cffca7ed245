"""What the steps share that move capacity or traffic from old groups to the new one."""

from collections.abc import Iterable, Mapping
from typing import Any

from rollbacks.platforms import reports
from rollbacks.platforms.ami import waits
from rollbacks.platforms.ami.back import Back
from rollbacks.platforms.ami.calls import Call
from rollbacks.platforms.ami.groups import Group
from rollbacks.platforms.ami.sizes import Sizes
from rollbacks.platforms.base import Done, Progress, Running


def captured_by(call: Call) -> dict[str, Any]:
    """Every group that has instances, and the new one, which may have none yet; and which that is:
    once it is deleted nothing else tells that it need not come back."""
    found = call.groups()
    new = call.new_group(found)
    kept = call.states(each for each in found if each.is_active or each == new)
    return {"groups": kept, "new": new.name}


def old_in(found: Iterable[Group], captured: Mapping[str, Any], release: str) -> list[Group]:
    """Those that had instances when the step began, newest first, without the new one."""
    return [each for each in found if each.name in captured["groups"] and each.release != release]


def shrink(call: Call, kept: Iterable[tuple[Group, int]]) -> Running | None:
    """Let each group have at most so many instances; none of them grows by this.

    First nothing but us may change its sizes any more.
    """
    wanted = {}
    for group, count in kept:
        desired = min(group.sizes.desired, count)
        if desired < group.sizes.desired or group.sizes.minimum > desired:
            call.calm(group)
            minimum = min(group.sizes.minimum, desired)
            call.resize(group, Sizes(minimum, group.sizes.maximum, desired))
        wanted[group.name] = desired
    return waits.down(call, wanted)


def undone(call: Call, captured: Mapping[str, Any]) -> Progress:
    """Everything as this step found it."""
    return Back(call, captured).go(is_last=False) or done(call, "As before this step")


def done(call: Call, message: str) -> Done:
    return reports.done(call.control, call.key, message, has_changed=call.has_changed)
