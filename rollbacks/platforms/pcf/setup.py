"""The step that makes the app of a release, still without instances."""

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
from rollbacks.platforms.pcf import inspecting, moves, plans, previews
from rollbacks.platforms.pcf.back import Back
from rollbacks.platforms.pcf.calls import Call
from rollbacks.platforms.pcf.manifest import is_hard_coded
from rollbacks.platforms.pcf.releases import Release
from rollbacks.platforms.pcf.settings import SetupSettings


class Setup(Step):
    """Makes an app by the manifest, with a droplet of the release's bits or image, on its final or
    its temporary routes.

    The apps that have instances are captured, all of them, and the routes. All of them but the one
    that serves go down to none; of those without instances the newest few stay, and the others are
    deleted.

    Undone, last of all steps: every app that had instances has them again and scales by itself as
    it did; routes send where they did; then this release's app is emptied and deleted, or kept.
    """

    kind: ClassVar[str] = "pcf.setup"
    label: ClassVar[str] = "App Setup"
    settings_model: ClassVar[type[BaseModel]] = SetupSettings
    undoes_later: ClassVar[bool] = True

    def capture(self, target: TargetRef, spec: StepSpec, control: Control) -> dict[str, Any]:
        return plans.planned(Call(target, spec, control), spec)

    def apply(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        call = Call(target, spec, control)
        release = Release(call, captured)
        if waits_for := release.bring():
            return waits_for
        old = moves.old_in(call.apps(), captured, spec.release)
        idle = [each for each in old if each.guid != captured["serving"]]
        if waits_for := moves.shrink(call, ((each, moves.none_of(each)) for each in idle)):
            return waits_for
        release.clean()
        return moves.done(call, f"{captured['name']} is there, without instances")

    def undo(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        call = Call(target, spec, control)
        if waits_for := Back(call, captured).go(is_last=True) or Release(call, captured).end():
            return waits_for
        return moves.done(call, "As before" if captured["apps"] else "Gone, as before")

    def preview(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Sequence[Change]:
        return previews.of_setup(target, spec, captured)

    def inspect(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Inspection:
        if captured is not None:
            return inspecting.of_undo(target, spec, captured)
        return inspecting.of_setup(target, spec)

    def irreversible(self, settings: Mapping[str, Any]) -> str:
        if not is_hard_coded(settings):
            return ""
        return (
            "The manifest hard-codes a Docker image, so that no artifact says what runs, and which "
            "one to return to. Take docker out of the manifest, and deploy a Docker image artifact."
        )
