"""The platform WinRM: what it can do, and what its hosts serve."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel

from rollbacks.platforms.base import (
    Observation,
    ObservedInstance,
    Platform,
    PlatformError,
    Step,
    TargetRef,
)
from rollbacks.platforms.hosts import selected
from rollbacks.platforms.winrm import pairs
from rollbacks.platforms.winrm.calls import looks
from rollbacks.platforms.winrm.found import look_into
from rollbacks.platforms.winrm.install import Install, Stage
from rollbacks.platforms.winrm.places import Place, places_of
from rollbacks.platforms.winrm.script import Script
from rollbacks.platforms.winrm.sessions import Remote
from rollbacks.platforms.winrm.settings import Connector, Infrastructure
from rollbacks.platforms.winrm.states import file_of, version_of
from rollbacks.platforms.winrm.swap import Swap


class Winrm(Platform):
    """Windows hosts with a directory per release, which IIS or a Windows service is pointed at."""

    name: ClassVar[str] = "WINRM"
    label: ClassVar[str] = "WinRM"
    steps: ClassVar[Mapping[str, Step]] = {
        step.kind: step for step in (Install(), Stage(), Swap(), Script())
    }
    connector_model: ClassVar[type[BaseModel]] = Connector
    infrastructure_model: ClassVar[type[BaseModel]] = Infrastructure
    deploys: ClassVar[frozenset[str]] = frozenset({"BASIC", "CANARY", "BLUE_GREEN"})
    reverts: ClassVar[tuple[str, ...]] = (
        "The physical path of the site, application or virtual directory, or the binary path of "
        "the Windows service, followed by a recycled pool or a restart",
        "Which one of a blue/green pair serves: bindings, or start modes",
        "The release directory that the deployment created, which is removed",
        "Scripts, by their undo command where they have one",
    )
    leaves: ClassVar[tuple[str, ...]] = (
        "Databases and other services",
        "Files outside of the release directory",
        "Effects of scripts without an undo command",
        "Application pools, certificates and other settings of IIS",
    )

    def default_phases(self, workflow_type: str) -> list[dict[str, Any]]:
        install = {"name": "Install", "kind": Install.kind}
        if workflow_type == "CANARY":
            return [
                {"name": "Canary", "select": {"percentage": 25}, "steps": [install]},
                {"name": "Primary", "select": {"percentage": 100}, "steps": [install]},
            ]
        if workflow_type == "BLUE_GREEN":
            steps = [{"name": "Stage", "kind": Stage.kind}, {"name": "Swap", "kind": Swap.kind}]
            return [{"name": "Blue/Green", "steps": steps}]
        return [{"name": "Install", "steps": [install]}]

    def select(self, target: TargetRef, selection: Mapping[str, Any]) -> tuple[str, ...]:
        """By `hosts` or by `percentage`."""
        return self.select_after(target, selection, ())

    def select_after(
        self, target: TargetRef, selection: Mapping[str, Any], taken: Sequence[str]
    ) -> tuple[str, ...]:
        """A percentage counts the hosts of earlier phases in, and does not take them again."""
        return selected([place.name for place in places_of(target)], selection, taken)

    def observe(self, target: TargetRef, instances: Sequence[str] = ()) -> Observation:
        """The identity is the path that serves: a release's name is used by one deployment only."""
        seen, faults = looks(target, instances or None, _look, None)
        names = instances or self.select(target, {})
        return Observation(tuple(seen.get(name) or _unseen(name, faults[name]) for name in names))


async def _look(remote: Remote, place: Place) -> ObservedInstance:
    serving = await pairs.live(remote, place)
    path = serving.state.path
    # A directory of no release: only whether the path leads anywhere is asked.
    folder = await look_into(remote, place, "release-", path)
    trouble = serving.state.trouble
    if not folder.wanted:
        trouble = f"{file_of(path)} is not there"
    how = f"pool {serving.state.pool_state}" if serving.state.pool else serving.state.state
    message = f"{serving.unit.title} serves {path} ({how})" + (f"; {trouble}" if trouble else "")
    return ObservedInstance(
        place.name,
        path,
        version_of(path),
        is_healthy=not trouble,
        message=f"{message[:1].upper()}{message[1:]}.",
    )


def _unseen(name: str, fault: PlatformError) -> ObservedInstance:
    return ObservedInstance(name, None, message=f"{name}: {fault}.")
