"""One host in one call of a step that brings a release: looks, and does what is still missing.

`bring` and `bring_back` are the two directions. Each begins with a look, so that either may be
called after the other, or after itself, was cut off at any point. What a switch still needs (a
restart, then a check) is written on the host before the switch, see scripts.py.
"""

import os
from dataclasses import dataclass, replace

from rollbacks.platforms.artifacts.payload import Payloads
from rollbacks.platforms.asking import Asking
from rollbacks.platforms.base import Control, InstanceOutcome, OutcomeState, PlatformError
from rollbacks.platforms.winrm import scripts
from rollbacks.platforms.winrm.found import Found, is_gone, look_into, release_to_send
from rollbacks.platforms.winrm.health import until_healthy
from rollbacks.platforms.winrm.pairs import look_at
from rollbacks.platforms.winrm.places import Place
from rollbacks.platforms.winrm.scripts import Call, directory_of
from rollbacks.platforms.winrm.sessions import Remote, ScriptFailed
from rollbacks.platforms.winrm.settings import HealthCheck
from rollbacks.platforms.winrm.states import (
    FolderState,
    UnitState,
    file_of,
    version_of,
)
from rollbacks.platforms.winrm.units import Unit


@dataclass(frozen=True)
class Visit:
    """Everything one host's turn needs."""

    remote: Remote
    place: Place
    unit: Unit
    release: str
    check: HealthCheck | None
    seconds: float
    control: Control
    asking: Asking
    payloads: Payloads

    @property
    def directory(self) -> str:
        return directory_of(self.release)

    @property
    def wanted(self) -> str:
        """The unit's path when it serves the release."""
        return self.unit.path_in(f"{self.place.folder}\\{self.directory}")

    async def bring(self, found: Found, *, runs: bool) -> InstanceOutcome:
        """The release unpacked, served, started (`runs`: where it is to run) and well."""
        state, folder = await self._look(self.wanted)
        if not folder.release:
            await self._unpack(folder.uploaded)
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
        """The path as it was, to what it led to, started and well, and nothing left of the release.

        What it led to is sent again where it is not there any more.
        """
        self._require_same_place(found)
        state, folder = await self._look(found.path)
        is_lost = is_gone(folder, found)
        if is_lost:
            await self._send_again(state, found)
        is_as_before = state.path == found.path and not is_lost
        if not is_as_before:
            await self._switch(found.path)
        must_restart = folder.restart or not is_as_before
        is_ours = bool(version_of(found.path))
        await self._prove(state, must_restart, folder.check, runs=found.runs, asks=is_ours)
        has_rest = folder.has_rest or (folder.release and not found.has_release)
        if has_rest or not is_as_before or folder.levels < found.levels:
            await self._clean(found)
            again = ", which was gone and was sent again" if is_lost else ""
            return InstanceOutcome(OutcomeState.DONE, f"As it was before: {found.path}{again}")
        return InstanceOutcome(OutcomeState.UNCHANGED, f"As it was before: {found.path}")

    async def bring_earlier(self, release: str) -> InstanceOutcome:
        """What the others served before, on a host that came later; sent where it is not there."""
        earlier = replace(self, release=release)
        await earlier._send()
        found = Found(
            unit=self.unit.title,
            folder=self.place.folder,
            path=earlier.wanted,
            runs=True,
            resolves=True,
            has_release=False,
            levels=0,
        )
        outcome = await self.bring_back(found)
        return replace(outcome, message=f"Came later; serves {earlier.directory}")

    async def _send_again(self, state: UnitState, found: Found) -> None:
        """The release that was served before; PlatformError where that cannot be."""
        release = await release_to_send(self.remote, self.place, found)
        if release not in self.payloads:
            raise PlatformError(
                f"{file_of(found.path)}, which it served before, is gone; nothing was changed. "
                "Deploy that version again",
                permanent=True,
            )
        await self.payloads.of(release).ready()
        if state.path == found.path:
            # Whoever comes after us must know that what was served there has to be restarted.
            await self._switch(found.path)
        await replace(self, release=release)._send()

    async def _send(self) -> None:
        """The release alone, where it is not there; nothing serves it yet."""
        _, folder = await self._look(self.wanted)
        if not folder.release:
            await self._unpack(folder.uploaded)
        if not folder.release or folder.has_rest:
            await self._change("Settling", scripts.settle(self.place.folder, self.directory))

    async def _look(self, path: str) -> tuple[UnitState, FolderState]:
        self._say("Looking")
        state = await look_at(self.remote, self.unit)
        return state, await look_into(self.remote, self.place, self.directory, path)

    async def _unpack(self, offset: int) -> None:
        """Send what is missing of the upload; its checksum is compared on the host."""
        payload = self.payloads.of(self.release)
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
