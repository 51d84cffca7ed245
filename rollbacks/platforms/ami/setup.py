"""The step that makes the group of a release, still without instances."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel

from rollbacks.platforms.ami import inspecting, moves, previews, releases
from rollbacks.platforms.ami.back import Back
from rollbacks.platforms.ami.calls import Call
from rollbacks.platforms.ami.releases import Release
from rollbacks.platforms.ami.settings import SetupSettings
from rollbacks.platforms.base import (
    Change,
    Control,
    Inspection,
    Progress,
    Step,
    StepSpec,
    TargetRef,
)


class Setup(Step):
    """Makes a launch template version with the release's AMI, and a group after the base group.

    The groups that have instances are captured, all of them; they are not touched yet. Of those
    that have none, the newest few stay and the others are deleted.

    Undone, last of all steps: every group that had instances has them again and acts by itself as
    it did; then this release's group and its launch template version are deleted.
    """

    kind: ClassVar[str] = "ami.setup"
    label: ClassVar[str] = "AWS AutoScaling Group Setup"
    settings_model: ClassVar[type[BaseModel]] = SetupSettings
    undoes_later: ClassVar[bool] = True

    def capture(self, target: TargetRef, spec: StepSpec, control: Control) -> dict[str, Any]:
        return releases.planned(Call(target, spec, control), spec)

    def apply(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        call = Call(target, spec, control)
        release = Release(call, captured)
        if waits_for := release.bring(target.settings["target_groups"]):
            return waits_for
        release.clean()
        return moves.done(call, f"{captured['name']} is there, without instances")

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
            return inspecting.of_undo(target, spec, captured, deletes=True)
        return inspecting.of_setup(target, spec, target.settings["target_groups"])


def undone(call: Call, captured: Mapping[str, Any]) -> Progress:
    """Of every step that makes the group of a release: the end of the way back."""
    if waits_for := Back(call, captured).go(is_last=True):
        return waits_for
    if waits_for := Release(call, captured).end():
        return waits_for
    return moves.done(call, "As before" if captured["groups"] else "Gone, as before")
