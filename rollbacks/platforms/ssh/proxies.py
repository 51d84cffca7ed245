"""Proxies as a front: nginx, HAProxy, …, shown and switched by commands of the infrastructure."""

from collections.abc import Mapping
from typing import Any

from rollbacks.platforms import everywhere
from rollbacks.platforms.asking import Asking
from rollbacks.platforms.base import (
    Control,
    InstanceOutcome,
    OutcomeState,
    PlatformError,
    TargetRef,
)
from rollbacks.platforms.ssh import commands
from rollbacks.platforms.ssh.access import access_to
from rollbacks.platforms.ssh.calls import Faults, acted, looks
from rollbacks.platforms.ssh.connection import Remote
from rollbacks.platforms.ssh.fronts import Front, Shown, Switch
from rollbacks.platforms.ssh.health import until_healthy
from rollbacks.platforms.ssh.places import Place
from rollbacks.platforms.ssh.settings import COLORS, Connector, Proxies
from rollbacks.platforms.ssh.visits import log_output


class ProxyFront(Front):
    """Each proxy by itself: one that hangs keeps no other from being switched."""

    def __init__(self, target: TargetRef, settings: Proxies) -> None:
        super().__init__(target)
        port = Connector.model_validate(dict(target.connector)).port
        self._settings = settings
        self.places = [
            Place(each.name, each.address, each.port or port, "", dict(each.variables))
            for each in settings.hosts
        ]

    def look(self, control: Control | None) -> Shown:
        found, faults = looks(self.places, access_to(self.target), self._show, control)
        named = {name: PlatformError(f"{name}: {fault}", permanent=fault.permanent)
                 for name, fault in faults.items()}  # fmt: skip
        return Shown({name: found[name] for name in sorted(found)}, named)

    def keep(self) -> Any:
        return None

    def bring(self, switch: Switch) -> Faults:
        access = access_to(self.target)

        async def go() -> Faults:
            asking = Asking()

            async def turn(remote: Remote, place: Place) -> InstanceOutcome:
                return await self._turn(remote, place, switch, asking)

            try:
                return await acted(self.places, access, switch.control, turn)
            finally:
                await asking.close()

        return everywhere.run(go(), switch.control, access.concurrency)

    async def _turn(
        self, remote: Remote, place: Place, switch: Switch, asking: Asking
    ) -> InstanceOutcome:
        has_switched = await self._show(remote, place) != switch.color
        if has_switched:
            await self._switch(remote, place, switch)
        settings = switch.settings
        if settings.health_check:
            environment = _environment(place, switch.color)
            check, seconds = settings.health_check, settings.health_timeout
            await until_healthy(place, remote, check, seconds, asking, environment)
        state = OutcomeState.DONE if has_switched else OutcomeState.UNCHANGED
        return InstanceOutcome(state, f"Sends to {switch.color}")

    async def _switch(self, remote: Remote, place: Place, switch: Switch) -> None:
        command = self._settings.switch_command
        switch.control.checkpoint()
        doing = InstanceOutcome(OutcomeState.RUNNING, f"Switching to {switch.color}")
        switch.control.report(place.name, doing)
        line = commands.script(command, "", _environment(place, switch.color))
        answer = await remote.run(line)
        log_output(switch.control, place.name, answer)
        shows = await self._show(remote, place)
        if answer.failure:
            raise PlatformError(
                f"the switch command {answer.failure}; it sends to {shows}", permanent=True
            )
        if shows != switch.color:
            raise PlatformError(
                f"the switch command ended well, but it still sends to {shows}", permanent=True
            )

    async def _show(self, remote: Remote, place: Place) -> str:
        line = commands.show(self._settings.show_command, _environment(place))
        answer = await remote.run(line)
        if remote.become and (refusal := remote.become.refusal(answer)):
            raise PlatformError(refusal, permanent=True)
        if answer.failure:
            raise PlatformError(f"the show command {answer.failure}", permanent=True)
        said = commands.shown(answer.out)
        if said not in COLORS:
            raise PlatformError(
                f"the show command must print {' or '.join(COLORS)}, and printed {said[:80]!r}",
                permanent=True,
            )
        return said


def _environment(place: Place, color: str = "") -> Mapping[str, str]:
    own = {"LASTGOOD_HOST": place.name, **({"LASTGOOD_COLOR": color} if color else {})}
    return {**place.variables, **own}
