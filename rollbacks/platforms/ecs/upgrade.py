"""The step that moves tasks from the old services to the new one, in part or wholly."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel

from rollbacks.platforms import shares
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
from rollbacks.platforms.ecs import inspecting, moves, previews, releases, waits
from rollbacks.platforms.ecs.calls import Call
from rollbacks.platforms.ecs.settings import UpgradeSettings


class Upgrade(Step):
    """Brings the new service to a number of tasks, and the old ones down by the complement.

    What is written counts from the beginning of the deployment: 25 %, then 50 %, then 100 %; a
    lower number later changes nothing. Once no old task is needed, the new service scales by
    itself.

    Undone, the old services have the tasks again that they had before this step, running and
    healthy, before the new one shrinks to what it had.
    """

    kind: ClassVar[str] = "ecs.upgrade"
    label: ClassVar[str] = "Upgrade Containers"
    settings_model: ClassVar[type[BaseModel]] = UpgradeSettings

    def capture(self, target: TargetRef, spec: StepSpec, control: Control) -> dict[str, Any]:
        return moves.captured_by(Call(target, spec, control))

    def apply(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        moving = _Moving(Call(target, spec, control), captured)
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
    """Tasks on their way, in one call of apply."""

    def __init__(self, call: Call, captured: Mapping[str, Any]) -> None:
        found = call.services()
        self._call = call
        self._new = call.new_service(found)
        self._old = moves.old_in(found, captured, call.spec.release)
        self._planned = releases.planned_count(self._new)
        wanted = shares.of(self._planned, str(call.spec.settings["instances"]))
        self._count = max(wanted, self._new.desired)

    def grow(self) -> Running | None:
        """What a later step says can only be more: a lower number is what it has."""
        if self._new.desired < self._count:
            self._call.resize(self._new, self._count)
        return waits.up(self._call, {self._new.name: self._count})

    def shrink(self) -> Running | None:
        before = lineage.before_of(self._new.tags)
        recorded = [before.get(each.number, 0) for each in self._old]
        kept = shares.kept(recorded, self._count, self._planned)
        return moves.shrink(self._call, zip(self._old, kept, strict=True))

    def done(self) -> Progress:
        if self._count >= self._planned:
            releases.finish(self._call, self._new, self._old)
        return moves.done(
            self._call, f"{self._new.name} has {self._count} of {self._planned} tasks"
        )
