"""The hosts of a target as places to go to; pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from rollbacks.platforms.base import PlatformError, StepSpec, TargetRef
from rollbacks.platforms.hosts import environment_on, filled
from rollbacks.platforms.ssh.settings import Connector, Infrastructure, absolute_path


@dataclass(frozen=True)
class Place:
    """One host, with everything that depends on it already worked out."""

    name: str
    address: str
    port: int
    directory: str
    variables: dict[str, str] = field(default_factory=dict)
    color: str = ""

    @property
    def where(self) -> str:
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{host}:{self.port}"

    def fill(self, template: str) -> str:
        """A URL with this host's values; PlatformError names an unknown placeholder."""
        address = f"[{self.address}]" if ":" in self.address else self.address
        values = {"name": self.name, "address": address, "port": str(self.port)}
        try:
            return filled(template, {**values, **self.variables})
        except KeyError as unknown:
            raise PlatformError(
                f"{self.name} has no variable {unknown}, which the health check's URL names",
                permanent=True,
            ) from None


def places_of(target: TargetRef, names: Sequence[str] | None = None) -> list[Place]:
    """The named hosts (None: all), in the infrastructure's order; PlatformError if one is none.

    With two groups there is one instance, the pair, which stands for all of its hosts.
    """
    connector = Connector.model_validate(dict(target.connector))
    infrastructure = Infrastructure.model_validate(dict(target.settings))
    if infrastructure.groups and names is not None:
        _require_pair(target, names)
        names = None if names else ()
    colors = infrastructure.groups.colors if infrastructure.groups else {}
    hosts = infrastructure.hosts_of(target)
    known = {host.name for host in hosts}
    if unknown := [name for name in names or () if name not in known]:
        raise PlatformError(
            f"{', '.join(unknown)}: no such host in {target.infrastructure}.", permanent=True
        )
    return [
        Place(
            name=host.name,
            address=host.address,
            port=host.port or connector.port,
            directory=absolute_path(filled(infrastructure.directory, host.values(connector.port))),
            variables=dict(host.variables),
            color=colors.get(host.name, ""),
        )
        for host in hosts
        if names is None or host.name in names
    ]


def key_of(target: TargetRef) -> str:
    """The one instance that two groups of hosts are."""
    return target.service


def keys_of(target: TargetRef) -> tuple[str, ...]:
    """Every instance: each host, or the pair."""
    places = places_of(target)
    if any(place.color for place in places):
        return (key_of(target),)
    return tuple(place.name for place in places)


def _require_pair(target: TargetRef, names: Sequence[str]) -> None:
    if unknown := [name for name in names if name != key_of(target)]:
        raise PlatformError(
            f"{', '.join(unknown)}: {target.infrastructure} has two groups of hosts, which are "
            f"deployed to as a whole, {key_of(target)}.",
            permanent=True,
        )


def environment_of(
    place: Place, target: TargetRef, spec: StepSpec, *, is_undo: bool
) -> dict[str, str]:
    """What a person's command gets to know: the workflow's variables, the host's, and ours."""
    known = environment_on(
        place.name, place.variables, place.directory, target, spec, is_undo=is_undo
    )
    return {**known, "LASTGOOD_COLOR": place.color} if place.color else known
