"""Every host's turn in one call of a step that brings releases, or takes them back."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from rollbacks.platforms import everywhere
from rollbacks.platforms.artifacts.payload import Payloads
from rollbacks.platforms.asking import Asking
from rollbacks.platforms.base import (
    Control,
    InstanceOutcome,
    PlatformError,
    StepSpec,
    TargetRef,
)
from rollbacks.platforms.ssh import commands
from rollbacks.platforms.ssh.access import access_to
from rollbacks.platforms.ssh.calls import Faults, acted
from rollbacks.platforms.ssh.connection import Remote
from rollbacks.platforms.ssh.places import Place, environment_of
from rollbacks.platforms.ssh.settings import HealthCheck, InstallSettings
from rollbacks.platforms.ssh.visits import Visit

Act = Callable[[Visit], Awaitable[InstanceOutcome]]


class Round:
    """One apply or undo over these places."""

    def __init__(
        self,
        target: TargetRef,
        spec: StepSpec,
        control: Control,
        places: Sequence[Place],
        settings: InstallSettings,
        *,
        is_undo: bool,
    ) -> None:
        commands.safe_release(spec.release)
        require_known_placeholders(places, settings.health_check)
        self._spec = spec
        self._control = control
        self._settings = settings
        self._access = access_to(target)
        self._places = places
        self._environments: Mapping[str, Mapping[str, str]] = {
            place.name: environment_of(place, target, spec, is_undo=is_undo) for place in places
        }

    def run(self, act: Act) -> Faults:
        """What went wrong, by host."""
        return everywhere.run(self._go(act), self._control, self._access.concurrency)

    async def _go(self, act: Act) -> Faults:
        payloads = Payloads({self._spec.release: self._spec.artifact, **self._spec.earlier})
        async with _closing(Asking(), payloads) as asking:

            async def turn(remote: Remote, place: Place) -> InstanceOutcome:
                return await act(self._visit(remote, place, asking, payloads))

            return await acted(self._places, self._access, self._control, turn)

    def _visit(self, remote: Remote, place: Place, asking: Asking, payloads: Payloads) -> Visit:
        return Visit(
            remote=remote,
            place=place,
            release=self._spec.release,
            settings=self._settings,
            environment=self._environments[place.name],
            control=self._control,
            asking=asking,
            payloads=payloads,
        )


@asynccontextmanager
async def _closing(asking: Asking, payloads: Payloads) -> AsyncIterator[Asking]:
    try:
        yield asking
    finally:
        payloads.close()
        await asking.close()


def require_artifact(spec: StepSpec) -> None:
    """Raises PlatformError where the step brings nothing."""
    if spec.artifact is None:
        raise PlatformError("There is no artifact to install.", permanent=True)


def require_known_placeholders(places: Sequence[Place], check: HealthCheck | None) -> None:
    """Raises PlatformError."""
    if check and check.url:
        for place in places:
            place.fill(check.url)
