"""The step that brings a release to hosts, and takes it back."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel

from rollbacks.platforms import everywhere
from rollbacks.platforms.base import (
    Change,
    Control,
    Inspection,
    InstanceOutcome,
    PlatformError,
    Progress,
    Step,
    StepSpec,
    TargetRef,
)
from rollbacks.platforms.ssh import commands, inspecting
from rollbacks.platforms.ssh.access import access_to
from rollbacks.platforms.ssh.calls import captured as looked_at
from rollbacks.platforms.ssh.connection import Remote
from rollbacks.platforms.ssh.found import Found, find, found_in, releases_in
from rollbacks.platforms.ssh.places import Place, places_of
from rollbacks.platforms.ssh.rounds import Round, require_artifact, require_known_placeholders
from rollbacks.platforms.ssh.settings import InstallSettings
from rollbacks.platforms.ssh.visits import Visit


class Install(Step):
    """Each host by itself: unpack, switch the link, restart, check (decision 5).

    A host that was seen well after its switch is not checked again by a later call; one that this
    step never touched is not checked at all.
    """

    kind: ClassVar[str] = "ssh.install"
    label: ClassVar[str] = "Install"
    settings_model: ClassVar[type[BaseModel]] = InstallSettings

    def capture(self, target: TargetRef, spec: StepSpec, control: Control) -> dict[str, Any]:
        """Also finds out all that can be found out to be wrong before anything is touched."""
        commands.safe_release(spec.release)
        require_artifact(spec)
        places, access = _places(target, spec), access_to(target)
        require_known_placeholders(places, _settings(spec).health_check)

        async def visit(remote: Remote, place: Place) -> Found:
            return await find(remote, place, spec.release)

        found = looked_at(places, access, visit, control)
        return {"hosts": {name: each.model_dump() for name, each in found.items()}}

    def apply(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        async def bring(visit: Visit) -> InstanceOutcome:
            return await visit.bring(found[visit.place.name])

        require_artifact(spec)
        found = {name: found_in(captured, name) for name in spec.instances}
        faults = _round(target, spec, control, is_undo=False).run(bring)
        return everywhere.concluded(faults, f"{len(found)} hosts")

    def undo(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        async def bring_back(visit: Visit) -> InstanceOutcome:
            if new := spec.newcomer(visit.place.name):
                return await visit.bring_earlier(new.release)
            return await visit.bring_back(found[visit.place.name])

        found = {name: found_in(captured, name) for name in spec.without_newcomers.instances}
        faults = _round(target, spec, control, is_undo=True).run(bring_back)
        return everywhere.concluded(faults, f"{len(spec.instances)} hosts")

    def preview(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Sequence[Change]:
        release = commands.link_to(spec.release)
        restart = _settings(spec).restart_command
        changes: list[Change] = []
        for name in spec.instances:
            if captured is None:
                changes.append(Change(name, "current", "what is there now", release))
            elif new := spec.newcomer(name):
                changes.append(Change(name, "current", release, commands.link_to(new.release)))
            else:
                before = found_in(captured, name).link
                changes.append(Change(name, "current", release, before or ""))
            if restart:
                changes.append(Change(name, "restart", "", restart))
        return changes

    def inspect(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Inspection:
        places = _places(target, spec)
        if captured is None:
            return inspecting.of_apply(target, spec, places)
        found = {name: found_in(captured, name) for name in spec.without_newcomers.instances}
        return inspecting.of_undo(target, spec, places, found)

    def releases(self, captured: Mapping[str, Any]) -> Collection[str]:
        return releases_in(found_in(captured, name) for name in captured.get("hosts", ()))


def _places(target: TargetRef, spec: StepSpec) -> list[Place]:
    """The hosts; PlatformError where one of two groups of them serves."""
    places = places_of(target, spec.instances)
    if any(place.color for place in places):
        raise PlatformError(
            f"{target.infrastructure} has two groups of hosts, of which one serves: a release "
            "comes there by ssh.stage and ssh.swap.",
            permanent=True,
        )
    return places


def _round(target: TargetRef, spec: StepSpec, control: Control, *, is_undo: bool) -> Round:
    places = _places(target, spec)
    return Round(target, spec, control, places, _settings(spec), is_undo=is_undo)


def _settings(spec: StepSpec) -> InstallSettings:
    return InstallSettings.model_validate(dict(spec.settings))
