"""The step that moves capacity from the old groups to the new one, in part or wholly."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel

from rollbacks.platforms.ami import (
    inspecting,
    moves,
    previews,
    releases,
    sizes,
    waits,
)
from rollbacks.platforms.ami.calls import Call
from rollbacks.platforms.ami.settings import UpgradeSettings
from rollbacks.platforms.aws import lineage
from rollbacks.platforms.base import (
    Change,
    Control,
    Inspection,
    Progress,
    Running,
    Step,
    StepSpec,
    TargetRef,
)


class Upgrade(Step):
    """Brings the new group to a number of instances, and the old ones down by the complement.

    What is written counts from the beginning of the deployment: 25 %, then 50 %, then 100 %. Once
    no old instance is needed, the new group gets its minimum and the base group's policies.

    Undone, the old groups have the instances again that they had before this step, in service and
    healthy, before the new group shrinks to what it had.
    """

    kind: ClassVar[str] = "ami.upgrade"
    label: ClassVar[str] = "Upgrade AutoScaling Group"
    settings_model: ClassVar[type[BaseModel]] = UpgradeSettings

    def capture(self, target: TargetRef, spec: StepSpec, control: Control) -> dict[str, Any]:
        return moves.captured_by(Call(target, spec, control))

    def apply(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        call = Call(target, spec, control)
        moving = _Moving(call, captured)
        ways = [moving.grow, moving.shrink]
        if spec.settings["resize"] == "OLD_FIRST":
            ways.reverse()
        for way in ways:
            if waits_for := way():
                return waits_for
        return moving.done()

    def undo(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        return moves.undone(Call(target, spec, control), captured)

    def preview(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Sequence[Change]:
        return previews.of_upgrade(target, spec, captured)

    def inspect(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Inspection:
        if captured is not None:
            return inspecting.of_undo(target, spec, captured)
        return inspecting.of_rights(target, spec)


class _Moving:
    """Capacity on its way, in one call of apply."""

    def __init__(self, call: Call, captured: Mapping[str, Any]) -> None:
        found = call.groups()
        self._call = call
        self._new = call.new_group(found)
        self._old = moves.old_in(found, captured, call.spec.release)
        self._planned = self._new.planned_sizes
        wanted = sizes.wanted(str(call.spec.settings["instances"]), self._planned)
        self._count = max(wanted, self._new.sizes.desired)

    def grow(self) -> Running | None:
        """What a later step says can only be more: a lower number is what it has."""
        if self._new.sizes.desired < self._count:
            self._call.bring_policies(self._new, ())
            self._call.resize(self._new, self._new.sizes.with_desired(self._count))
        return waits.up(self._call, {self._new.name: self._count})

    def shrink(self) -> Running | None:
        before = lineage.before_of(self._new.tags)
        recorded = [before.get(each.number, 0) for each in self._old]
        kept = sizes.kept(recorded, self._count, self._planned)
        return moves.shrink(self._call, zip(self._old, kept, strict=True))

    def done(self) -> Progress:
        if sizes.is_whole(self._count, self._planned):
            new = self._call.new_group(self._call.groups())
            is_scheduled = bool(self._call.spec.settings["scheduled_actions"])
            releases.finish(self._call, new, is_scheduled=is_scheduled)
        return moves.done(
            self._call, f"{self._new.name} has {self._count} of {self._planned.desired} instances"
        )
