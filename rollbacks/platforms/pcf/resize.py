"""The step that moves instances from the old apps to the new one, in part or wholly."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel

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
from rollbacks.platforms.pcf import (
    counts,
    inspecting,
    moves,
    plans,
    previews,
    releases,
    series,
    waits,
)
from rollbacks.platforms.pcf.calls import Call
from rollbacks.platforms.pcf.settings import ResizeSettings


class Resize(Step):
    """Brings the new app to a number of instances, and the old ones down by the complement.

    What is written counts from the beginning of the deployment: 25 %, then 50 %, then 100 %; a
    lower number later changes nothing. Once the new app is whole, it scales by itself.

    Undone, the old apps have the instances again that they had before this step, running, before
    the new one shrinks to what it had.
    """

    kind: ClassVar[str] = "pcf.resize"
    label: ClassVar[str] = "App Resize"
    settings_model: ClassVar[type[BaseModel]] = ResizeSettings

    def capture(self, target: TargetRef, spec: StepSpec, control: Control) -> dict[str, Any]:
        return moves.captured_by(Call(target, spec, control))

    def apply(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        moving = _Moving(Call(target, spec, control), captured)
        ways = [moving.grow, moving.shrink]
        if moving.is_old_first:
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
        return previews.of_resize(target, spec, captured)

    def inspect(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Inspection:
        if captured is not None:
            return inspecting.of_undo(target, spec, captured)
        return inspecting.of_rights(target)


class _Moving:
    """Instances on their way, in one call of apply."""

    def __init__(self, call: Call, captured: Mapping[str, Any]) -> None:
        found = call.apps()
        self._call = call
        self._new = call.new_app(found)
        self._old = moves.old_in(found, captured, call.spec.release)
        self._planned = plans.planned_counts(self._new)
        wanted = counts.wanted(self._planned, str(call.spec.settings["instances"]))
        # What a later step says can only be more: a lower number is what it has.
        self._count = {
            kind: max(count, self._new.counts.get(kind, 0)) for kind, count in wanted.items()
        }

    @property
    def is_old_first(self) -> bool:
        return self._new.annotations.get(series.RESIZE) == "OLD_FIRST"

    def grow(self) -> Running | None:
        for kind, count in self._count.items():
            self._call.scale(self._new, kind, instances=count)
        return waits.up(self._call, {self._new.guid: self._count})

    def shrink(self) -> Running | None:
        settings = self._call.spec.settings
        if not settings["downsize_old"]:
            return None
        before = self._new.said(series.BEFORE) or {}
        recorded = [before.get(each.guid, {}) for each in self._old]
        if settings["old_instances"] is not None:
            kept = counts.limited(recorded, int(settings["old_instances"]))
        else:
            kept = counts.kept(recorded, self._count, self._planned)
        return moves.shrink(self._call, zip(self._old, kept, strict=True))

    def done(self) -> Progress:
        if counts.is_whole(self._count, self._planned):
            releases.finish(self._call, self._new)
        now, planned = (counts.text_of(each) for each in (self._count, self._planned))
        return moves.done(self._call, f"{self._new.name} has {now} of {planned} instances")
