"""The hosts of a target as places to go to; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rollbacks.platforms.base import PlatformError, TargetRef
from rollbacks.platforms.hosts import Host, filled
from rollbacks.platforms.winrm.settings import Connector, Infrastructure, windows_path
from rollbacks.platforms.winrm.units import Directory, Unit, WindowsService


@dataclass(frozen=True)
class Place:
    """One host, with everything that depends on it already worked out.

    `folder` holds the service's releases. `twin`: the other unit of a pair, for blue/green.
    """

    name: str
    address: str
    port: int
    folder: str
    unit: Unit
    twin: Unit | None
    production_binding: str
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def where(self) -> str:
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{host}:{self.port}"

    def fill(self, template: str) -> str:
        """A URL with this host's values; PlatformError names an unknown placeholder."""
        address = f"[{self.address}]" if ":" in self.address else self.address
        values = {"name": self.name, "address": address, "port": str(self.port)}
        return _filled(template, {**values, **self.variables}, self.name)


def places_of(target: TargetRef, names: Sequence[str] | None = None) -> list[Place]:
    """The named hosts (None: all), in the infrastructure's order; PlatformError if one is none."""
    connector = Connector.model_validate(dict(target.connector))
    infrastructure = Infrastructure.model_validate(dict(target.settings))
    hosts = infrastructure.hosts_of(target)
    known = {host.name for host in hosts}
    if unknown := [name for name in names or () if name not in known]:
        raise PlatformError(
            f"{', '.join(unknown)}: no such host in {target.infrastructure}.", permanent=True
        )
    return [
        _place(host, target, infrastructure, connector.port)
        for host in hosts
        if names is None or host.name in names
    ]


def _place(host: Host, target: TargetRef, settings: Infrastructure, port: int) -> Place:
    values = {
        "application": target.application,
        "service": target.service,
        "environment": target.environment,
        **host.values(port),
    }

    def fill(text: str | None) -> str:
        return _filled(text or "", values, host.name)

    def unit(site: str | None, service: str | None) -> Unit | None:
        if service:
            return WindowsService(
                fill(service), fill(settings.executable), fill(settings.arguments)
            )
        if not site:
            return None
        return Directory(
            fill(site), fill(settings.application) or "/", fill(settings.virtual_directory) or "/"
        )

    first = unit(settings.site, settings.windows_service)
    assert first is not None, "an infrastructure has a site or a service"
    return Place(
        name=host.name,
        address=host.address,
        port=host.port or port,
        folder=_folder(fill(settings.root), target.service),
        unit=first,
        twin=unit(settings.stage_site, settings.stage_windows_service),
        production_binding=fill(settings.production_binding),
        variables=dict(host.variables),
    )


def _folder(root: str, service: str) -> str:
    try:
        return windows_path(f"{root}\\{service}")
    except ValueError as reason:
        raise PlatformError(f"The folder for {service!r} {reason}.", permanent=True) from None


def _filled(template: str, values: Mapping[str, str], name: str) -> str:
    try:
        return filled(template, dict(values))
    except KeyError as unknown:
        raise PlatformError(
            f"{name} has no variable {unknown}, which its settings name", permanent=True
        ) from None
