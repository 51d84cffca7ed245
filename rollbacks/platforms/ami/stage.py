"""The step of blue/green that brings a whole new group where nobody is sent yet."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel

from rollbacks.platforms.ami import inspecting, moves, previews, releases, waits
from rollbacks.platforms.ami.calls import Call, Looks
from rollbacks.platforms.ami.groups import Group
from rollbacks.platforms.ami.releases import Release
from rollbacks.platforms.ami.settings import SetupSettings
from rollbacks.platforms.ami.setup import undone
from rollbacks.platforms.ami.sizes import Sizes
from rollbacks.platforms.aws import balancing
from rollbacks.platforms.base import (
    Change,
    Control,
    Inspection,
    PlatformError,
    Progress,
    Step,
    StepSpec,
    TargetRef,
)


class Stage(Step):
    """As a setup, and then the group gets all its instances, in the stage target groups.

    With a listener rule, in its target group that has the weight 0. Groups that have instances but
    serve nobody, as the last blue/green deployment may have left them, go down to none first.
    """

    kind: ClassVar[str] = "ami.stage"
    label: ClassVar[str] = "AWS AutoScaling Group Stage"
    settings_model: ClassVar[type[BaseModel]] = SetupSettings
    undoes_later: ClassVar[bool] = True

    def capture(self, target: TargetRef, spec: StepSpec, control: Control) -> dict[str, Any]:
        call = Call(target, spec, control)
        serving, stage = attachments(call)
        found = releases.planned(call, spec)
        active = [each for each in call.groups() if each.name in found["groups"]]
        return {**found, "stage": stage, "idle": [each.name for each in idle(active, serving)]}

    def apply(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        call = Call(target, spec, control)
        release = Release(call, captured)
        unused = [(each, 0) for each in call.groups() if each.name in captured["idle"]]
        if waits_for := moves.shrink(call, unused):
            return waits_for
        if waits_for := release.bring(captured["stage"]):
            return waits_for
        release.clean()
        new = call.new_group(call.groups())
        count = Sizes.parsed(captured["sizes"]).desired
        if new.sizes.desired < count:
            call.resize(new, new.sizes.with_desired(count))
        if waits_for := waits.up(call, {new.name: count}):
            return waits_for
        return moves.done(call, f"{new.name} has {count} instances, and serves nobody yet")

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
        serving, stage = attachments(Looks(target))
        return inspecting.of_setup(target, spec, [*serving, *stage])


def attachments(looks: Looks) -> tuple[list[str], list[str]]:
    """The target groups that serve, and those where a new group can wait; PlatformError where the
    infrastructure definition, or the listener rule, has no such two."""
    settings = looks.target.settings
    if settings["listener_rule"]:
        actions = balancing.actions_of(looks, settings["listener_rule"])
        free = balancing.idle_in(actions)
        return [arn for arn in balancing.weights(actions) if arn != free], [free]
    if not settings["stage_target_groups"]:
        raise PlatformError(
            f"Blue/green needs stage_target_groups or a listener_rule in the infrastructure "
            f"definition {looks.target.infrastructure}.",
            permanent=True,
        )
    return list(settings["target_groups"]), list(settings["stage_target_groups"])


def idle(active: Sequence[Group], serving: Sequence[str]) -> list[Group]:
    """Those that nobody is sent to."""
    return [each for each in active if not set(each.target_groups) & set(serving)]
