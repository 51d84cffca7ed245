"""Whether the quotas of the organization and of the space have room, asked beforehand."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rollbacks.platforms.pcf.calls import Looks


@dataclass(frozen=True)
class Room:
    """How much more is taken: `memory` in MB; `largest` is that of one instance."""

    memory: int = 0
    instances: int = 0
    routes: int = 0
    largest: int = 0


def lacking(looks: Looks, more: Room, what: str) -> Iterator[str]:
    """What there is no room for; `what` begins the sentence, as "The new app takes"."""
    if more.memory <= 0 and more.instances <= 0 and not more.routes and not more.largest:
        return
    for whose, quota, path in _quotas(looks):
        apps, routes = quota.get("apps") or {}, quota.get("routes") or {}
        most = apps.get("per_process_memory_in_mb")
        if most is not None and more.largest > most:
            yield f"An instance takes {more.largest} MB, and the quota of {whose} allows {most}"
        used = looks.api.find(f"{path}/usage_summary")
        if used is None:
            continue  # an older foundation does not tell; it refuses what is too much
        now = used["usage_summary"]
        memory, instances = apps.get("total_memory_in_mb"), apps.get("total_instances")
        for unit, wanted, limit, taken in (
            ("MB of memory", more.memory, memory, now["memory_in_mb"]),
            ("instances", more.instances, instances, now["started_instances"]),
            ("routes", more.routes, routes.get("total_routes"), now["routes"]),
        ):
            if limit is not None and wanted > 0 and taken + wanted > limit:
                yield (
                    f"{what} {wanted} {unit} more, and the quota of {whose} has only "
                    f"{max(0, limit - taken)} of {limit} left"
                )


def _quotas(looks: Looks) -> Iterator[tuple[str, Mapping[str, Any], str]]:
    """Of the organization, and of the space where it has one of its own."""
    settings = looks.target.settings
    organization = f"/v3/organizations/{looks.organization_guid}"
    own = looks.api.get(organization)["relationships"].get("quota") or {}
    if own.get("data"):
        found = looks.api.find(f"/v3/organization_quotas/{own['data']['guid']}")
        if found is not None:
            yield f"the organization {settings['organization']}", found, organization
    of_space = looks.space["relationships"].get("quota") or {}
    if of_space.get("data"):
        found = looks.api.find(f"/v3/space_quotas/{of_space['data']['guid']}")
        if found is not None:
            yield f"the space {settings['space']}", found, f"/v3/spaces/{looks.space_guid}"
