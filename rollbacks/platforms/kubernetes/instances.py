"""The instances of an infrastructure: workloads, by their keys. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from rollbacks.platforms.base import PlatformError, TargetRef
from rollbacks.platforms.kubernetes.kinds import WORKLOADS, Kind
from rollbacks.platforms.kubernetes.manifests import is_name
from rollbacks.platforms.kubernetes.settings import Infrastructure


@dataclass(frozen=True)
class Workload:
    """An instance: its key, as Deployment/web."""

    name: str

    @property
    def kind(self) -> Kind:
        return WORKLOADS[self.name.partition("/")[0]]

    @property
    def own_name(self) -> str:
        return self.name.partition("/")[2]


def workloads_of(target: TargetRef, keys: Sequence[str] | None = None) -> list[Workload]:
    """The named workloads (None: all) of the infrastructure; PlatformError if one is none."""
    infrastructure = Infrastructure.model_validate(dict(target.settings))
    known = [each.replace("{service}", target.service) for each in infrastructure.workloads]
    if unknown := [key for key in keys or () if key not in known]:
        raise PlatformError(
            f"{', '.join(unknown)}: no such workload in {target.infrastructure}.", permanent=True
        )
    if wrong := [key for key in known if not is_name(key.partition("/")[2])]:
        raise PlatformError(
            f"{', '.join(wrong)} cannot be the name of a workload: small letters, digits, - and . "
            "only. Name it in the infrastructure definition.",
            permanent=True,
        )
    return [Workload(key) for key in known if keys is None or key in keys]
