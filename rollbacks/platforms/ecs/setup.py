"""The step that makes the service of a release, still without tasks."""

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
from rollbacks.platforms.ecs import inspecting, moves, previews, releases
from rollbacks.platforms.ecs.back import Back
from rollbacks.platforms.ecs.calls import Call
from rollbacks.platforms.ecs.releases import Release
from rollbacks.platforms.ecs.settings import SetupSettings


class Setup(Step):
    """Registers a task definition with the release's image, and makes a service after the base
    service.

    The services that have tasks are captured, all of them. All but the newest of them go down to
    none; of those without tasks the newest few stay, and the others are deleted.

    Undone, last of all steps: every service that had tasks has them again and scales by itself as
    it did; then this release's service has none, and stays.
    """

    kind: ClassVar[str] = "ecs.setup"
    label: ClassVar[str] = "ECS Service Setup"
    settings_model: ClassVar[type[BaseModel]] = SetupSettings
    undoes_later: ClassVar[bool] = True

    def capture(self, target: TargetRef, spec: StepSpec, control: Control) -> dict[str, Any]:
        return releases.planned(Call(target, spec, control), spec)

    def apply(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        call = Call(target, spec, control)
        release = Release(call, captured)
        release.bring({})
        older = moves.old_in(call.services(), captured, spec.release)[1:]
        if waits_for := moves.shrink(call, ((each, 0) for each in older)):
            return waits_for
        release.clean()
        return moves.done(call, f"{captured['name']} is there, without tasks")

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
        return inspecting.of_setup(target, spec)


def undone(call: Call, captured: Mapping[str, Any]) -> Progress:
    """Of every step that makes the service of a release: the end of the way back."""
    if waits_for := Back(call, captured).go(is_last=True):
        return waits_for
    if waits_for := Release(call, captured).end():
        return waits_for
    return moves.done(call, "As before")
