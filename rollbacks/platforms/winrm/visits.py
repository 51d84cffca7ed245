"""One host in one call of a step that brings a release: looks, and does what is still missing.

`bring` and `bring_back` are the two directions. Each begins with a look, so that either may be
called after the other, or after itself, was cut off at any point. What a switch still needs (a
restart, then a check) is written on the host before the switch, see scripts.py.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ConfigDict

from rollbacks.platforms.artifacts.payload import Payload
from rollbacks.platforms.asking import Asking
from rollbacks.platforms.base import Control, InstanceOutcome, OutcomeState, PlatformError
from rollbacks.platforms.winrm import scripts
from rollbacks.platforms.winrm.health import until_healthy
from rollbacks.platforms.winrm.pairs import look_at
from rollbacks.platforms.winrm.places import Place
from rollbacks.platforms.winrm.scripts import Call
from rollbacks.platforms.winrm.sessions import Remote, ScriptFailed
from rollbacks.platforms.winrm.settings import HealthCheck
from rollbacks.platforms.winrm.states import (
    FolderState,
    UnitState,
    file_of,
    folder_in,
    version_of,
)
from rollbacks.platforms.winrm.units import Unit


class Found(BaseModel):
    """What a capture keeps of one host; `unit`: its title; `levels`: directories not there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    unit: str
    folder: str
    path: str
    runs: bool
    resolves: bool
    has_release: bool
    levels: int


async def look_into(remote: Remote, place: Place, directory: str, path: str) -> FolderState:
    """The service's folder, and whether the path leads anywhere."""
    return folder_in(await remote.call(scripts.look(place.folder, directory, file_of(path))))


@dataclass(frozen=True)
class Visit:
    """Everything one host's turn needs. `directory`: the name of the release's."""

    remote: Remote
    place: Place
    unit: Unit
    directory: str
    check: HealthCheck | None
    seconds: float
    control: Control
    asking: Asking

    @property
    def wanted(self) -> str:
        """The unit's path when it serves the release."""
        return self.unit.path_in(f"{self.place.folder}\\{self.directory}")

    async def bring(self, payload: Payload, found: Found, *, runs: bool) -> InstanceOutcome:
        """The release unpacked, served, started (`runs`: where it is to run) and well."""
        state, folder = await self._look(self.wanted)
        if not folder.release:
            await self._unpack(payload, folder.uploaded)
        must_restart, must_check = folder.restart, folder.check
        if state.path != self.wanted or not folder.release:
            await self._switch(self.wanted)
            must_restart = True
        await self._prove(state, must_restart, must_check, runs=runs, asks=True)
        if folder.has_rest or must_restart or not folder.release:
            await self._change("Settling", scripts.settle(self.place.folder, self.directory))
        if found.path == self.wanted:
            return InstanceOutcome(OutcomeState.UNCHANGED, f"Served {self.directory} already")
        return InstanceOutcome(OutcomeState.DONE, f"Serves {self.directory}")

    async def bring_back(self, found: Found) -> InstanceOutcome:
        """The path as it was, started and well, and nothing left of the release."""
        self._require_same_place(found)
        state, folder = await self._look(found.path)
        self._require_previous(folder, found)
        is_as_before = state.path == found.path
        if not is_as_before:
            await self._switch(found.path)
        must_restart = folder.restart or not is_as_before
        is_ours = bool(version_of(found.path))
        await self._prove(state, must_restart, folder.check, runs=found.runs, asks=is_ours)
        has_rest = folder.has_rest or (folder.release and not found.has_release)
        if has_rest or not is_as_before or folder.levels < found.levels:
            await self._clean(found)
            return InstanceOutcome(OutcomeState.DONE, f"As it was before: {found.path}")
        return InstanceOutcome(OutcomeState.UNCHANGED, f"As it was before: {found.path}")

    async def bring_earlier(self, directory: str, payload: Payload) -> InstanceOutcome:
        """What the others served before, on a host that came later; sent where it is not there."""
        earlier = replace(self, directory=directory)
        _, folder = await earlier._look(earlier.wanted)
        if not folder.release:
            await earlier._unpack(payload, folder.uploaded)
        if not folder.release or folder.has_rest:
            await earlier._change("Settling", scripts.settle(self.place.folder, directory))
        found = Found(
            unit=self.unit.title,
            folder=self.place.folder,
            path=earlier.wanted,
            runs=True,
            resolves=True,
            has_release=False,
            levels=0,
        )
        return replace(await self.bring_back(found), message=f"Came later; serves {directory}")

    async def _look(self, path: str) -> tuple[UnitState, FolderState]:
        self._say("Looking")
        state = await look_at(self.remote, self.unit)
        return state, await look_into(self.remote, self.place, self.directory, path)

    async def _unpack(self, payload: Payload, offset: int) -> None:
        """Send what is missing of the upload; its checksum is compared on the host."""
        packed = await payload.ready()
        size = os.fstat(packed.fileno()).st_size
        offset = offset if offset <= size else 0
        async for piece in payload.chunks(offset):
            doing = f"Sending {self.directory}, {offset * 100 // size} %"
            await self._change(
                doing, scripts.receive(self.place.folder, self.directory, offset, piece)
            )
            offset += len(piece)
        call = scripts.unpack(self.place.folder, self.directory, await payload.digest())
        await self._patiently(f"Unpacking {self.directory}", call)

    async def _switch(self, path: str) -> None:
        call = self.unit.switch(path, self.place.folder, self.directory)
        await self._change(f"Switching to {path}", call)

    async def _prove(
        self, state: UnitState, must_restart: bool, must_check: bool, *, runs: bool, asks: bool
    ) -> None:
        """Restart and check, from where it was left. What is not to run cannot be well."""
        if must_restart:
            where = (self.place.folder, self.directory)
            await self._change("Restarting", self.unit.restart(state.pool, *where, runs=runs))
        if runs and (must_restart or must_check):
            self._say("Checking its health")
            await until_healthy(
                self.place,
                lambda: look_at(self.remote, self.unit),
                self.check if asks else None,
                self.seconds,
                self.asking,
            )

    async def _clean(self, found: Found) -> None:
        where = (self.place.folder, self.directory)
        if found.has_release:
            await self._change("Settling", scripts.settle(*where))
            return
        remove = scripts.remove(*where, levels=found.levels)
        await self._patiently(f"Removing {self.directory}", remove)

    async def _patiently(self, doing: str, call: Call) -> None:
        """What fails now may not later: who serves keeps files until its end, and what a dead
        worker began may still go on."""
        try:
            await self._change(doing, call)
        except ScriptFailed as held:
            raise PlatformError(str(held)) from None

    async def _change(self, doing: str, call: Call) -> None:
        """Every call that changes a host goes through here, behind a checkpoint."""
        self.control.checkpoint()
        self._say(doing)
        try:
            await self.remote.call(call)
        except ScriptFailed as said:
            raise ScriptFailed(
                f"{doing[:1].lower()}{doing[1:]} failed: {said}", permanent=True
            ) from None

    def _say(self, doing: str) -> None:
        self.control.report(self.place.name, InstanceOutcome(OutcomeState.RUNNING, doing))

    def _require_same_place(self, found: Found) -> None:
        if (found.folder, found.unit) != (self.place.folder, self.unit.title):
            raise PlatformError(
                f"was deployed to {found.unit} from {found.folder}, but the infrastructure now "
                f"says {self.unit.title} and {self.place.folder}; nothing was changed",
                permanent=True,
            )

    def _require_previous(self, folder: FolderState, found: Found) -> None:
        if found.resolves and not folder.wanted:
            raise PlatformError(
                f"{file_of(found.path)}, which it served before, is gone; nothing was changed. "
                "Deploy that version again",
                permanent=True,
            )


def found_in(captured: Mapping[str, Any], name: str) -> Found:
    """A host's part of a capture; PlatformError where it has none."""
    try:
        return Found.model_validate(captured["hosts"][name])
    except (KeyError, TypeError, ValueError):
        raise PlatformError(
            f"{name} was not looked at before this deployment, so it cannot be brought back.",
            permanent=True,
        ) from None
