"""One host in one call of an Install step: looks, and does what is still missing.

`bring` and `bring_back` are the two directions. Each begins with a look, so that either may be
called after the other, or after itself, was cut off at any point. What a switch still needs (a
restart, then a check) is written on the host before the switch, see commands.py.
"""

from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass, replace

from rollbacks.platforms.artifacts.payload import Payloads
from rollbacks.platforms.asking import Asking
from rollbacks.platforms.base import Control, InstanceOutcome, OutcomeState, PlatformError
from rollbacks.platforms.ssh import commands
from rollbacks.platforms.ssh.commands import Pending
from rollbacks.platforms.ssh.connection import CommandTimeout, Remote
from rollbacks.platforms.ssh.found import Found, is_gone, look, require_link
from rollbacks.platforms.ssh.health import until_healthy, wrong_with
from rollbacks.platforms.ssh.places import Place
from rollbacks.platforms.ssh.sessions import Answer
from rollbacks.platforms.ssh.settings import InstallSettings
from rollbacks.platforms.ssh.states import HostState, release_of


@dataclass(frozen=True)
class Visit:
    """Everything one host's turn needs."""

    remote: Remote
    place: Place
    release: str
    settings: InstallSettings
    environment: Mapping[str, str]
    control: Control
    asking: Asking
    payloads: Payloads

    async def bring(self, found: Found) -> InstanceOutcome:
        """The release unpacked, linked, started and well."""
        wanted = commands.link_to(self.release)
        state = await self._look(wanted)
        if not state.has_release:
            await self._unpack()
        pending = state.pending
        if state.link != wanted or not state.has_release:
            pending = await self._switch(wanted)
        await self._prove(pending)
        if state.has_litter or pending != Pending.NOTHING:
            await self._change("Settling", commands.settle(self.place.directory, self.release))
        if found.link == wanted:
            return InstanceOutcome(OutcomeState.UNCHANGED, f"Ran {self.release} already")
        return InstanceOutcome(OutcomeState.DONE, f"Runs {self.release}")

    async def bring_back(self, found: Found) -> InstanceOutcome:
        """The link as it was, to what it led to, started and well, and nothing left of the release.

        What it led to is sent again where it is not there any more.
        """
        self._require_same_place(found)
        state = await self._look(found.link)
        is_lost = is_gone(state, found)
        if is_lost:
            await self._send_again(state, found)
        pending, is_as_before = state.pending, state.link == found.link and not is_lost
        if not is_as_before:
            pending = await self._switch(found.link or "", may_dangle=not found.resolves)
        await self._prove(pending, runs_something=found.link is not None)
        has_rest = _has_rest(state, found)
        if has_rest or not is_as_before:
            await self._clean(found)
        changed = OutcomeState.DONE if has_rest or not is_as_before else OutcomeState.UNCHANGED
        again = ", which was gone and was sent again" if is_lost else ""
        before = found.link or "nothing installed"
        return InstanceOutcome(changed, f"As it was before: {before}{again}")

    async def bring_earlier(self, release: str) -> InstanceOutcome:
        """What the others ran before, on a host that came later; unpacked where it is not there."""
        earlier, link = replace(self, release=release), commands.link_to(release)
        state = await earlier._look(link)
        if not state.has_release:
            await earlier._unpack()
        found = Found(
            directory=self.place.directory,
            link=link,
            resolves=True,
            has_release=False,
            has_releases=True,
            levels=0,
        )
        return replace(await self.bring_back(found), message=f"Came later; runs {release}")

    async def stand(self, found: Found) -> InstanceOutcome:
        """As it was captured, and well; what is not well is restarted, and that is said."""
        outcome, check = await self.bring_back(found), self.settings.health_check
        if check is None or found.link is None:
            return outcome
        wrong = await wrong_with(self.place, self.remote, check, self.asking, self.environment)
        if not wrong:
            return outcome
        self.control.log(self.place.name, f"Not well, though nobody is sent here yet: {wrong}")
        await self._prove(Pending.RESTART)
        await self._change("Settling", commands.settle(self.place.directory, self.release))
        return InstanceOutcome(OutcomeState.DONE, f"Was not well ({wrong}); mended")

    async def ready(self) -> InstanceOutcome:
        """Runs the release, and is well."""
        state, wanted = await self._look(None), commands.link_to(self.release)
        if state.link != wanted or not state.has_release:
            raise PlatformError(
                f"runs {state.link or 'nothing'}, not {wanted}: nobody was sent there. Stage the "
                "release first",
                permanent=True,
            )
        await self._prove(Pending.CHECK)
        return InstanceOutcome(OutcomeState.UNCHANGED, f"Runs {self.release}")

    async def require_any_of(self, links: Collection[str | None]) -> InstanceOutcome:
        """For a host that came since, of which nothing is captured."""
        state = await self._look(None)
        if state.link not in links:
            raise PlatformError(
                f"came since, and runs {state.link or 'nothing'}: nobody was sent there. Install "
                f"{' or '.join(str(each) for each in links)} there, or take the host out",
                permanent=True,
            )
        return InstanceOutcome(OutcomeState.UNCHANGED, f"Runs {state.link or 'nothing'}")

    async def _look(self, wanted: str | None) -> HostState:
        self._say("Looking")
        state = await look(self.remote, self.place, self.release, wanted)
        require_link(state, self.place)
        return state

    async def _send_again(self, state: HostState, found: Found) -> None:
        """The release that ran before; PlatformError where nobody knows what it was made of."""
        release = release_of(found.link or "")
        if release not in self.payloads:
            raise PlatformError(
                f"{found.link}, which it ran before, is gone from {self.place.directory}; nothing "
                "was changed. Deploy that version again",
                permanent=True,
            )
        await self.payloads.of(release).ready()
        if state.link == found.link:
            # Whoever comes after us must know that what ran there has to be restarted.
            await self._switch(found.link or "", may_dangle=True)
        await replace(self, release=release)._unpack()

    async def _unpack(self) -> None:
        payload = self.payloads.of(self.release)
        await payload.ready()
        command = commands.unpack(self.place.directory, self.release)
        await self._change(f"Unpacking {self.release}", command, payload.chunks())

    async def _switch(self, text: str, *, may_dangle: bool = False) -> Pending:
        """Point the link at the text; what that makes necessary."""
        pending = Pending.NOTHING
        if self.settings.restart_command:
            pending = Pending.RESTART
        elif self.settings.health_check and text:
            pending = Pending.CHECK
        command = commands.switch(
            self.place.directory, self.release, text, pending, may_dangle=may_dangle
        )
        await self._change(f"Switching to {text or 'nothing'}", command)
        return pending

    async def _prove(self, pending: Pending, *, runs_something: bool = True) -> None:
        """Restart and check, from where it was left. Nothing installed cannot be well."""
        if pending == Pending.RESTART and self.settings.restart_command:
            await self._restart(self.settings.restart_command, runs_something)
        check = self.settings.health_check
        if pending != Pending.NOTHING and check and runs_something:
            self._say("Checking its health")
            seconds = self.settings.health_timeout
            await until_healthy(
                self.place, self.remote, check, seconds, self.asking, self.environment
            )

    async def _restart(self, command: str, runs_something: bool) -> None:
        line = commands.restart(
            self.place.directory,
            self.release,
            command,
            Pending.CHECK if self.settings.health_check else Pending.NOTHING,
            self.environment,
            may_fail=not runs_something,
        )
        try:
            answer = await self._change("Restarting", line)
        except CommandTimeout as late:
            raise PlatformError(f"the restart command: {late}", permanent=True) from None
        log_output(self.control, self.place.name, answer)

    async def _clean(self, found: Found) -> None:
        command = commands.clean(
            self.place.directory,
            self.release,
            removes_release=not found.has_release,
            removes_releases=not found.has_releases,
            levels=found.levels,
        )
        await self._change(f"Removing {self.release}", command)

    async def _change(
        self, doing: str, command: str, stdin: AsyncIterator[bytes] | None = None
    ) -> Answer:
        """Every command that changes a host goes through here, behind a checkpoint."""
        self.control.checkpoint()
        self._say(doing)
        answer = await self.remote.run(command, stdin)
        if answer.failure:
            if doing == "Restarting":
                log_output(self.control, self.place.name, answer)
            raise PlatformError(f"{doing[:1].lower()}{doing[1:]} {answer.failure}", permanent=True)
        return answer

    def _say(self, doing: str) -> None:
        self.control.report(self.place.name, InstanceOutcome(OutcomeState.RUNNING, doing))

    def _require_same_place(self, found: Found) -> None:
        if found.directory != self.place.directory:
            raise PlatformError(
                f"was deployed to {found.directory}, but the infrastructure now says "
                f"{self.place.directory}; nothing was changed",
                permanent=True,
            )


def _has_rest(state: HostState, found: Found) -> bool:
    """Whether anything is there that was not, or that only stood there for a while."""
    return (
        state.has_litter
        or state.pending != Pending.NOTHING
        or (state.has_release and not found.has_release)
        or (state.has_releases and not found.has_releases)
        or state.levels < found.levels
    )


def log_output(control: Control, name: str, answer: Answer, lines: int = 200) -> None:
    """The end of what a person's command said; the session kept 64 KiB of it."""
    text = answer.both.decode(errors="replace").rstrip()
    if text:
        control.log(name, "\n".join(text.splitlines()[-lines:]))
