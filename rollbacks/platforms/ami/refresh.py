"""The step that replaces the instances of the group there is, so many at a time."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel

from rollbacks.platforms import numbering
from rollbacks.platforms.ami import (
    inspecting,
    moves,
    previews,
    refreshes,
    releases,
    templates,
    versions,
    waits,
)
from rollbacks.platforms.ami.back import extra, is_as_large
from rollbacks.platforms.ami.calls import Call
from rollbacks.platforms.ami.groups import GROWS, SHRINKS, Group, State, Template, states_in
from rollbacks.platforms.ami.releases import Release
from rollbacks.platforms.ami.settings import RefreshSettings
from rollbacks.platforms.ami.setup import undone
from rollbacks.platforms.ami.sizes import Sizes
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


class Refresh(Step):
    """Makes a launch template version with the release's AMI, and an instance refresh of the group
    that has instances; its sizes, target groups and policies stay as they are.

    The first time there is no such group: it is made after the base group, with all its instances.

    Undone, a refresh in progress is cancelled, and every instance is replaced by one that starts
    from the version that was captured; a succeeded refresh AWS itself cannot take back. What else
    was captured of the group, its sizes first of all, is as it was, too.
    """

    kind: ClassVar[str] = "ami.refresh"
    label: ClassVar[str] = "Instance Refresh"
    settings_model: ClassVar[type[BaseModel]] = RefreshSettings
    undoes_later: ClassVar[bool] = True

    def capture(self, target: TargetRef, spec: StepSpec, control: Control) -> dict[str, Any]:
        call = Call(target, spec, control)
        planned = releases.planned(call, spec)
        active = [each for each in call.groups() if each.name in planned["groups"]]
        if not active:
            return planned
        group = active[0]
        template = templates.template_of(group)
        version = str(versions.resolved(call, template)["VersionNumber"])
        return {
            **planned,
            "refreshed": {
                "name": group.name,
                "template": {"id": template.own_id, "version": version},
                "release": group.release,
                "version": group.version,
            },
        }

    def apply(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        call = Call(target, spec, control)
        if "refreshed" not in captured:
            return _first(call, captured)
        if spec.artifact is None:
            raise PlatformError("The deployment has no artifact: an AMI is needed", permanent=True)
        name = captured["refreshed"]["name"]
        number = versions.brought(call, captured["source"], spec.artifact)
        wanted = Template(captured["source"]["id"], number)
        if waits_for := refreshes.replace_all(call, name, wanted):
            return waits_for
        call.mark(waits.there(call, name), spec.release, numbering.version_of(spec.release))
        return waits.up(call, _all_of(call, name)) or moves.done(
            call, f"All instances of {name} start from {spec.artifact.location}"
        )

    def undo(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        call = Call(target, spec, control)
        if "refreshed" not in captured:
            return undone(call, captured)
        was = captured["refreshed"]
        wanted = Template(was["template"]["id"], was["template"]["version"])
        state = states_in(captured)[was["name"]]
        moving = [each for each in (*GROWS, *SHRINKS) if each not in state.suspended]
        call.resume(waits.there(call, was["name"]), moving)
        if waits_for := refreshes.replace_all(call, was["name"], wanted):
            return waits_for
        call.mark(waits.there(call, was["name"]), was["release"], was["version"])
        _restore(call, waits.there(call, was["name"]), state)
        if waits_for := waits.up(call, _all_of(call, was["name"])):
            return waits_for
        versions.remove(call, captured["source"], spec.release)
        return moves.done(call, f"All instances of {was['name']} start as before")

    def preview(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Sequence[Change]:
        if captured is None or "refreshed" not in captured:
            return previews.of_release(target, spec, captured)
        return previews.of_refresh(target, captured)

    def inspect(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Inspection:
        if captured is None:
            return inspecting.of_setup(target, spec, target.settings["target_groups"])
        if "refreshed" not in captured:
            return inspecting.of_undo(target, spec, captured, deletes=True)
        return inspecting.of_refresh_back(target, spec, captured)


def _first(call: Call, captured: Mapping[str, Any]) -> Progress:
    if waits_for := Release(call, captured).bring(call.target.settings["target_groups"]):
        return waits_for
    new = call.new_group(call.groups())
    count = Sizes.parsed(captured["sizes"]).desired
    if new.sizes.desired < count:
        call.resize(new, new.sizes.with_desired(count))
    if waits_for := waits.up(call, {new.name: count}):
        return waits_for
    releases.finish(call, call.new_group(call.groups()), is_scheduled=False)
    return moves.done(call, f"{new.name} has {count} instances")


def _restore(call: Call, group: Group, was: State) -> None:
    """What somebody else has changed of the group since."""
    if not is_as_large(group, was):
        call.resize(group, was.sizes)
    call.attach(group, was.target_groups)
    call.detach(group, extra(group, was))
    call.bring_policies(group, was.policies)
    call.bring_processes(group, was.suspended)


def _all_of(call: Call, name: str) -> dict[str, int]:
    return {name: waits.there(call, name).sizes.desired}
