"""What would make a step fail, asked of Cloud Foundry beforehand: rights, quotas, what a manifest
names."""

from collections.abc import Iterator, Mapping
from typing import Any

from rollbacks.platforms.base import PlatformError, StepSpec
from rollbacks.platforms.pcf import routes
from rollbacks.platforms.pcf.calls import Looks
from rollbacks.platforms.pcf.filling import Filled

DEVELOPER = "space_developer"
_MEMORY, _INSTANCES = "total_memory_in_mb", "total_instances"


def of_rights(looks: Looks) -> Iterator[str]:
    """Whether whoever we are may push and route apps in the space."""
    person, space = looks.api.person, looks.target.settings["space"]
    if not person.may_write:
        yield f"{person.name} may only read: its client needs the scope cloud_controller.write"
    elif not person.is_admin:
        found = looks.api.pages("/v3/roles", user_guids=person.guid, space_guids=looks.space_guid)
        roles = sorted(str(each["type"]) for each in found)
        if DEVELOPER not in roles:
            has = f"is only {', '.join(roles)}" if roles else "has no role"
            yield (
                f"{person.name} {has} in the space {space}: it must be {DEVELOPER} to change apps "
                "and routes"
            )


def of_manifest(looks: Looks, spec: StepSpec, manifest: Filled) -> Iterator[str]:
    """What it names that is not there."""
    yield from _missing(
        looks, "service instance", "/v3/service_instances", manifest.services, "space_guids"
    )
    installed = [each for each in manifest.buildpacks if "/" not in each]  # others are URLs
    yield from _missing(looks, "buildpack", "/v3/buildpacks", installed)
    yield from _missing(looks, "stack", "/v3/stacks", [manifest.stack] if manifest.stack else [])
    wanted = [*routes.final_of(looks, manifest)]
    if spec.settings["routes"] == "TEMPORARY":
        wanted += routes.temporary_of(looks)
    yield from of_routes(looks, wanted)


def _missing(
    looks: Looks, what: str, path: str, names: list[str], of_space: str = ""
) -> Iterator[str]:
    if not names:
        return
    where = {of_space: looks.space_guid} if of_space else {}
    found = {str(each["name"]) for each in looks.api.pages(path, names=",".join(names), **where)}
    for name in names:
        if name not in found:
            yield f"There is no {what} {name}, which the manifest names"


def of_routes(looks: Looks, wanted: list[str]) -> Iterator[str]:
    """Routes that could not be had: of no domain that the organization has, or of another space."""
    own = routes.by_url(looks.routes())
    missing = [text for text in wanted if text not in own]
    addresses = routes.known(looks, missing)
    for text in missing:
        if text not in addresses:
            yield f"The organization has no domain for the route {text}"
        elif _is_taken(looks, addresses[text].host, addresses[text].path, addresses[text].domain):
            yield f"The route {text} belongs to another space"


def _is_taken(looks: Looks, host: str, path: str, domain: str) -> bool:
    where = f"/v3/domains/{routes.domain_guid(looks, domain)}/route_reservations"
    asked = {key: each for key, each in (("host", host), ("path", path)) if each}
    return bool(looks.api.get(where, **asked).get("matching_route"))


def of_room(
    looks: Looks, memory: int, instances: int, what: str, largest: int = 0
) -> Iterator[str]:
    """Whether both quotas have room for so much more; `memory` in MB, `largest` of one instance."""
    if memory <= 0 and instances <= 0 and not largest:
        return
    for whose, quota, path in _quotas(looks):
        apps = quota.get("apps") or {}
        most = apps.get("per_process_memory_in_mb")
        if most is not None and largest > most:
            yield f"An instance takes {largest} MB, and the quota of {whose} allows {most}"
        used = looks.api.find(f"{path}/usage_summary")
        if used is None:
            continue  # an older foundation does not tell; it refuses what is too much
        now = used["usage_summary"]
        pairs = (
            ("MB of memory", memory, apps.get(_MEMORY), now["memory_in_mb"]),
            ("instances", instances, apps.get(_INSTANCES), now["started_instances"]),
        )
        for unit, more, limit, taken in pairs:
            if limit is not None and taken + more > limit:
                yield (
                    f"{what} {more} {unit} more, and the quota of {whose} has only "
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


def of_droplet(looks: Looks, name: str, guid: str) -> Iterator[str]:
    """A droplet that nothing can start from any more."""
    try:
        found = looks.api.find(f"/v3/droplets/{guid}")
    except PlatformError as error:
        if not error.permanent:
            raise
        found = None
    if found is None or found["state"] != "STAGED":
        yield f"The droplet to which {name} goes back is no longer there: it cannot be started"
