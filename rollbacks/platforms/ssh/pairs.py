"""Two groups of hosts of which one serves: what the steps of blue/green have in common."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from rollbacks.platforms import everywhere
from rollbacks.platforms.base import (
    Control,
    Done,
    InstanceOutcome,
    OutcomeState,
    PlatformError,
    Progress,
    Running,
    StepSpec,
    TargetRef,
)
from rollbacks.platforms.ssh.access import access_to
from rollbacks.platforms.ssh.calls import Faults, captured
from rollbacks.platforms.ssh.connection import Remote
from rollbacks.platforms.ssh.found import Found, find, releases_in
from rollbacks.platforms.ssh.fronts import Front
from rollbacks.platforms.ssh.listeners import ListenerFront
from rollbacks.platforms.ssh.places import Place, key_of, places_of
from rollbacks.platforms.ssh.proxies import ProxyFront
from rollbacks.platforms.ssh.settings import Infrastructure, InstallSettings, StageSettings


class Kept(BaseModel):
    """What a capture keeps: of one color its hosts, and of the front what brings it back."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    color: str
    hosts: dict[str, Found]
    front: Any = None

    @property
    def links(self) -> list[str | None]:
        return sorted({each.link for each in self.hosts.values()}, key=str)


@dataclass(frozen=True)
class Side:
    """The hosts of a color as they are now, held against what was captured."""

    known: tuple[Place, ...]
    new: tuple[Place, ...]
    gone: tuple[str, ...]


def front_of(target: TargetRef) -> Front:
    """What sends to one of the groups; PlatformError where there are none."""
    settings = Infrastructure.model_validate(dict(target.settings))
    if settings.proxies is not None:
        return ProxyFront(target, settings.proxies)
    if settings.listener is not None:
        return ListenerFront(target, settings.listener)
    raise PlatformError(
        f"{target.infrastructure} has no groups: blue/green needs the hosts of either color and "
        "what sends to one of them, proxies or listener.",
        permanent=True,
    )


def hosts_of(target: TargetRef, color: str) -> list[Place]:
    """Those of one color."""
    return [place for place in places_of(target) if place.color == color]


def keep(
    target: TargetRef, spec: StepSpec, control: Control, color: str, front: Any = None
) -> dict[str, Any]:
    """A capture of the color's hosts."""

    async def visit(remote: Remote, place: Place) -> Found:
        return await find(remote, place, spec.release)

    found = captured(hosts_of(target, color), access_to(target), visit, control)
    return Kept(color=color, hosts=found, front=front).model_dump()


def kept_in(document: Mapping[str, Any]) -> Kept:
    """PlatformError where nothing was kept."""
    try:
        return Kept.model_validate(dict(document))
    except ValueError:
        raise PlatformError(
            "The two groups were not looked at before this deployment, so they cannot be brought "
            "back.",
            permanent=True,
        ) from None


def releases_kept(document: Mapping[str, Any]) -> set[str]:
    """The names of the releases that ran on the color's hosts; of no capture none."""
    return releases_in(kept_in(document).hosts.values()) if document else set()


def side_of(target: TargetRef, kept: Kept) -> Side:
    """Raises PlatformError where no host is left."""
    places = hosts_of(target, kept.color)
    names = {place.name for place in places}
    side = Side(
        known=tuple(place for place in places if place.name in kept.hosts),
        new=tuple(place for place in places if place.name not in kept.hosts),
        gone=tuple(name for name in kept.hosts if name not in names),
    )
    if not side.known:
        raise PlatformError(
            f"None of the hosts that were {kept.color} is left in {target.infrastructure}.",
            permanent=True,
        )
    return side


def told(side: Side, control: Control) -> None:
    """Name the hosts that nothing can be done about."""
    for name in side.gone:
        control.log(name, "No longer in its group of the infrastructure definition; left alone.")


def checks_of(settings: StageSettings) -> InstallSettings:
    """What is done to and asked of a host that nobody is sent to."""
    return InstallSettings(
        restart_command=settings.restart_command,
        health_check=settings.stage_health_check,
        health_timeout=settings.health_timeout,
    )


def concluded(target: TargetRef, control: Control, found: Faults | Running, done: str) -> Progress:
    """How far the pair is, told of it as a whole."""
    progress = found if isinstance(found, Running) else everywhere.concluded(found, done)
    if isinstance(progress, Done):
        control.report(key_of(target), InstanceOutcome(OutcomeState.DONE, done))
    return progress
