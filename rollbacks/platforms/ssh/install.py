"""The step that brings a release to hosts, and takes it back."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, ClassVar

from pydantic import BaseModel

from rollbacks.platforms import everywhere
from rollbacks.platforms.artifacts.payload import Payload
from rollbacks.platforms.asking import Asking
from rollbacks.platforms.base import (
    ArtifactRef,
    Change,
    Control,
    InstanceOutcome,
    PlatformError,
    Progress,
    Step,
    StepSpec,
    TargetRef,
)
from rollbacks.platforms.ssh import commands
from rollbacks.platforms.ssh.connection import Access, access_to, entered
from rollbacks.platforms.ssh.places import Place, environment_of, places_of
from rollbacks.platforms.ssh.settings import InstallSettings
from rollbacks.platforms.ssh.visits import Found, Visit, found_in, look, require_link


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
        _artifact(spec)
        places, access = places_of(target, spec.instances), access_to(target)
        _require_known_placeholders(places, spec)

        async def visit(place: Place) -> Found:
            async with entered(place, access, control) as remote:
                state = await look(remote, place, spec.release)
            require_link(state, place)
            return Found(
                directory=place.directory,
                link=state.link,
                resolves=state.resolves,
                has_release=state.has_release,
                has_releases=state.has_releases,
                levels=state.levels,
            )

        work = everywhere.at_each(places, access.concurrency, visit)
        found, faults = everywhere.run(work, control, access.concurrency)
        for name, fault in faults.items():
            control.report(name, everywhere.failed(fault))
        if faults:
            raise everywhere.summed(faults)
        return {"hosts": {name: found[name].model_dump() for name in sorted(found)}}

    def apply(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        artifact = _artifact(spec)

        async def bring(visit: Visit, payload: Payload) -> InstanceOutcome:
            return await visit.bring(payload, found[visit.place.name])

        found = {name: found_in(captured, name) for name in spec.instances}
        call = _Call(target, spec, control, is_undo=False)
        return everywhere.run(call.go(artifact, bring), control, call.access.concurrency)

    def undo(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        async def bring_back(visit: Visit, payload: Payload) -> InstanceOutcome:
            if new := spec.newcomer(visit.place.name):
                return await visit.bring_earlier(new.release, payload)
            return await visit.bring_back(found[visit.place.name])

        earlier = spec.newcomers.artifact if spec.newcomers else None
        found = {name: found_in(captured, name) for name in spec.without_newcomers.instances}
        call = _Call(target, spec, control, is_undo=True)
        return everywhere.run(call.go(earlier, bring_back), control, call.access.concurrency)

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


class _Call:
    """One apply or undo over all of the step's hosts."""

    def __init__(
        self, target: TargetRef, spec: StepSpec, control: Control, *, is_undo: bool
    ) -> None:
        commands.safe_release(spec.release)
        self.spec = spec
        self.control = control
        self.settings = _settings(spec)
        self.access: Access = access_to(target)
        self.places = places_of(target, spec.instances)
        _require_known_placeholders(self.places, spec)
        self.environments = {
            place.name: environment_of(place, target, spec, is_undo=is_undo)
            for place in self.places
        }

    async def go(
        self,
        artifact: ArtifactRef | None,
        act: Callable[[Visit, Payload], Awaitable[InstanceOutcome]],
    ) -> Progress:
        async with _closing(Asking(), Payload(artifact)) as (asking, payload):

            async def visit(place: Place) -> None:
                async def turn() -> InstanceOutcome:
                    async with entered(place, self.access, self.control) as remote:
                        return await act(self._visit(remote, place, asking), payload)

                await everywhere.reported(place, self.control, turn)

            _, faults = await everywhere.at_each(self.places, self.access.concurrency, visit)
        return everywhere.concluded(faults, f"{len(self.places)} hosts")

    def _visit(self, remote: Any, place: Place, asking: Asking) -> Visit:
        return Visit(
            remote=remote,
            place=place,
            release=self.spec.release,
            settings=self.settings,
            environment=self.environments[place.name],
            control=self.control,
            asking=asking,
        )


@asynccontextmanager
async def _closing(asking: Asking, payload: Payload) -> AsyncIterator[tuple[Asking, Payload]]:
    try:
        yield asking, payload
    finally:
        payload.close()
        await asking.close()


def _settings(spec: StepSpec) -> InstallSettings:
    return InstallSettings.model_validate(dict(spec.settings))


def _artifact(spec: StepSpec) -> ArtifactRef:
    if spec.artifact is None:
        raise PlatformError("There is no artifact to install.", permanent=True)
    return spec.artifact


def _require_known_placeholders(places: Sequence[Place], spec: StepSpec) -> None:
    check = _settings(spec).health_check
    if check and check.url:
        for place in places:
            place.fill(check.url)
