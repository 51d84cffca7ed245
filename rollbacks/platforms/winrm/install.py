"""The steps that bring a release to hosts, and take it back: to what serves, or to its twin."""

from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, ClassVar

from pydantic import BaseModel

from rollbacks.platforms import everywhere
from rollbacks.platforms.artifacts.payload import Payloads
from rollbacks.platforms.asking import Asking
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
from rollbacks.platforms.winrm import inspecting, pairs
from rollbacks.platforms.winrm.access import access_to
from rollbacks.platforms.winrm.calls import acted, captures
from rollbacks.platforms.winrm.found import Found, found_in, look_into
from rollbacks.platforms.winrm.packing import repack
from rollbacks.platforms.winrm.pairs import Seen
from rollbacks.platforms.winrm.places import Place, places_of
from rollbacks.platforms.winrm.scripts import directory_of
from rollbacks.platforms.winrm.sessions import Remote
from rollbacks.platforms.winrm.settings import HealthCheck, InstallSettings, StageSettings
from rollbacks.platforms.winrm.states import release_of
from rollbacks.platforms.winrm.units import Directory, Unit
from rollbacks.platforms.winrm.visits import Visit


class Releasing(Step):
    """Each host by itself: send and unpack, switch the path, restart, check.

    A host that was seen well after its switch is not checked again by a later call; one that this
    step never touched is not checked at all.
    """

    @abstractmethod
    async def choose(self, remote: Remote, place: Place) -> Seen:
        """Which unit of a host gets the release."""

    @abstractmethod
    def runs(self, unit: Unit) -> bool:
        """Whether the unit is to run with the release."""

    @abstractmethod
    def check(self, spec: StepSpec) -> tuple[HealthCheck | None, float]:
        """What is asked once it runs, and for how many seconds it may fail."""

    def capture(self, target: TargetRef, spec: StepSpec, control: Control) -> dict[str, Any]:
        """Also finds out all that can be found out to be wrong before anything is touched."""
        directory = directory_of(spec.release)
        self._require_fit(target, spec)

        async def look(remote: Remote, place: Place) -> Found:
            seen = await self.choose(remote, place)
            return await _found(remote, place, seen, directory)

        found = captures(target, spec, look, control)
        return {"hosts": {name: each.model_dump() for name, each in found.items()}}

    def apply(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        async def bring(visit: Visit) -> InstanceOutcome:
            await self._require_same_role(visit)
            found = found_in(captured, visit.place.name)
            return await visit.bring(found, runs=self.runs(visit.unit))

        self._require_fit(target, spec)
        return self._go(target, spec, captured, control, bring)

    def undo(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        async def bring_back(visit: Visit) -> InstanceOutcome:
            if new := spec.newcomer(visit.place.name):
                return await visit.bring_earlier(new.release)
            return await visit.bring_back(found_in(captured, visit.place.name))

        return self._go(target, spec, captured, control, bring_back)

    def preview(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Sequence[Change]:
        directory = directory_of(spec.release)
        changes = []
        for place in places_of(target, spec.instances):
            path = place.unit.path_in(f"{place.folder}\\{directory}")
            before, after = ("what is there now", path)
            if new := spec.newcomer(place.name):
                before = path
                after = place.unit.path_in(f"{place.folder}\\{directory_of(new.release)}")
            elif captured is not None:
                before, after = path, found_in(captured, place.name).path
            changes.append(Change(place.name, place.unit.what, before, after))
        return changes

    def inspect(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Inspection:
        directory = directory_of(spec.release)
        if captured is None:
            return inspecting.of_apply(target, spec, directory, self.choose)
        known = spec.without_newcomers
        found = {name: found_in(captured, name) for name in known.instances}
        return inspecting.of_undo(target, known, directory, found)

    def releases(self, captured: Mapping[str, Any]) -> Collection[str]:
        found = [found_in(captured, name) for name in captured.get("hosts", ())]
        return {release_of(each.path, each.folder) for each in found if each.resolves} - {""}

    async def _require_same_role(self, visit: Visit) -> None:
        """What waited must not be given a release once it serves."""
        if visit.place.twin is None:
            return
        seen = await self.choose(visit.remote, visit.place)
        if seen.unit != visit.unit:
            raise PlatformError(
                f"somebody swapped {visit.unit.title} since this deployment began; nothing was "
                "changed. Deploy again",
                permanent=True,
            )

    def _require_fit(self, target: TargetRef, spec: StepSpec) -> None:
        if spec.artifact is None:
            raise PlatformError("There is no artifact to install.", permanent=True)
        check, _ = self.check(spec)
        for place in places_of(target, spec.instances):
            if check:
                place.fill(check.url)

    def _go(
        self,
        target: TargetRef,
        spec: StepSpec,
        captured: Mapping[str, Any],
        control: Control,
        act: Callable[[Visit], Awaitable[InstanceOutcome]],
    ) -> Progress:
        directory_of(spec.release)
        access = access_to(target)
        places = places_of(target, spec.instances)
        units = {
            place.name: unit_of(place, found_in(captured, place.name))
            for place in places
            if not spec.newcomer(place.name)
        }
        check, seconds = self.check(spec)

        async def go() -> Progress:
            payloads = Payloads({spec.release: spec.artifact, **spec.earlier}, repack)
            async with _closing(Asking(), payloads) as asking:

                async def turn(remote: Remote, place: Place) -> InstanceOutcome:
                    # One that came later has whatever serves there brought back.
                    unit = units.get(place.name) or (await pairs.live(remote, place)).unit
                    visit = Visit(
                        remote=remote,
                        place=place,
                        unit=unit,
                        release=spec.release,
                        check=check,
                        seconds=seconds,
                        control=control,
                        asking=asking,
                        payloads=payloads,
                    )
                    return await act(visit)

                return await acted(places, access, control, turn)

        return everywhere.run(go(), control, access.connector.concurrency)


class Install(Releasing):
    """Brings the release to what serves everybody."""

    kind: ClassVar[str] = "winrm.install"
    label: ClassVar[str] = "Install"
    settings_model: ClassVar[type[BaseModel]] = InstallSettings

    async def choose(self, remote: Remote, place: Place) -> Seen:
        return await pairs.live(remote, place)

    def runs(self, unit: Unit) -> bool:
        return True

    def check(self, spec: StepSpec) -> tuple[HealthCheck | None, float]:
        settings = InstallSettings.model_validate(dict(spec.settings))
        return settings.health_check, settings.health_timeout


class Stage(Releasing):
    """Brings the release to the twin, where nobody is sent yet; a Windows service stays off."""

    kind: ClassVar[str] = "winrm.stage"
    label: ClassVar[str] = "Stage"
    settings_model: ClassVar[type[BaseModel]] = StageSettings

    async def choose(self, remote: Remote, place: Place) -> Seen:
        return await pairs.idle(remote, place)

    def runs(self, unit: Unit) -> bool:
        return isinstance(unit, Directory)

    def check(self, spec: StepSpec) -> tuple[HealthCheck | None, float]:
        settings = StageSettings.model_validate(dict(spec.settings))
        return settings.stage_health_check, settings.health_timeout


def unit_of(place: Place, found: Found) -> Unit:
    """The unit that was captured; where the infrastructure has it no more, the visit refuses."""
    if place.twin is not None and found.unit == place.twin.title:
        return place.twin
    return place.unit


async def _found(remote: Remote, place: Place, seen: Seen, directory: str) -> Found:
    folder = await look_into(remote, place, directory, seen.state.path)
    return Found(
        unit=seen.unit.title,
        folder=place.folder,
        path=seen.state.path,
        runs=seen.state.runs,
        resolves=folder.wanted,
        has_release=folder.release,
        levels=folder.levels,
    )


@asynccontextmanager
async def _closing(asking: Asking, payloads: Payloads) -> AsyncIterator[Asking]:
    try:
        yield asking
    finally:
        payloads.close()
        await asking.close()
