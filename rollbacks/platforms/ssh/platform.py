"""The platform SSH: what it can do, and what runs on its hosts."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel

from rollbacks.platforms import everywhere
from rollbacks.platforms.base import (
    Observation,
    ObservedInstance,
    Platform,
    PlatformError,
    Step,
    TargetRef,
)
from rollbacks.platforms.hosts import selected
from rollbacks.platforms.ssh.connection import access_to, entered
from rollbacks.platforms.ssh.install import Install
from rollbacks.platforms.ssh.places import Place, places_of
from rollbacks.platforms.ssh.script import Script
from rollbacks.platforms.ssh.settings import Connector, Infrastructure
from rollbacks.platforms.ssh.states import HostState, version_of
from rollbacks.platforms.ssh.visits import look, require_link


class Ssh(Platform):
    """Hosts with a directory per release and a link `current`; see commands.py for the layout."""

    name: ClassVar[str] = "SSH"
    label: ClassVar[str] = "SSH"
    steps: ClassVar[Mapping[str, Step]] = {step.kind: step for step in (Install(), Script())}
    connector_model: ClassVar[type[BaseModel]] = Connector
    infrastructure_model: ClassVar[type[BaseModel]] = Infrastructure
    deploys: ClassVar[frozenset[str]] = frozenset({"BASIC", "CANARY"})
    reverts: ClassVar[tuple[str, ...]] = (
        "The release that each host runs: its current link, followed by a restart",
        "The release directory that the deployment created, which is removed",
        "Scripts, by their undo command where they have one",
    )
    leaves: ClassVar[tuple[str, ...]] = (
        "Databases and other services",
        "Files outside of the release directory",
        "Effects of scripts without an undo command",
    )

    def default_phases(self, workflow_type: str) -> list[dict[str, Any]]:
        install = {"name": "Install", "kind": Install.kind}
        if workflow_type == "CANARY":
            return [
                {"name": "Canary", "select": {"percentage": 25}, "steps": [install]},
                {"name": "Primary", "select": {"percentage": 100}, "steps": [install]},
            ]
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
        """The identity is the link's text: a release's name is used by one deployment only."""
        places, access = places_of(target, instances or None), access_to(target)

        async def visit(place: Place) -> ObservedInstance:
            async with entered(place, access) as remote:
                state = await look(remote, place)
            require_link(state, place)
            return _seen(place, state)

        work = everywhere.at_each(places, access.concurrency, visit)
        seen, faults = everywhere.run(work, None, access.concurrency)
        return Observation(
            tuple(
                seen.get(place.name) or _unseen(place.name, faults[place.name]) for place in places
            )
        )


def _seen(place: Place, state: HostState) -> ObservedInstance:
    if state.link is None:
        return ObservedInstance(place.name, "", message="Nothing is installed.")
    if not state.resolves:
        return ObservedInstance(
            place.name,
            state.link,
            version_of(state.link),
            is_healthy=False,
            message=f"current points at {state.link}, which is not there.",
        )
    # A look asks whether the release is in place; whether it works was checked when it came.
    return ObservedInstance(place.name, state.link, version_of(state.link), is_healthy=True)


def _unseen(name: str, fault: PlatformError) -> ObservedInstance:
    return ObservedInstance(name, None, message=f"{name}: {fault}.")
