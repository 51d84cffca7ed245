"""What would make a step fail, asked of Cloud Foundry beforehand: rights, features that are off,
what a manifest names."""

from collections.abc import Iterator

from rollbacks.platforms.base import PlatformError, StepSpec
from rollbacks.platforms.pcf import flags, routes
from rollbacks.platforms.pcf.calls import Looks
from rollbacks.platforms.pcf.filling import Filled
from rollbacks.platforms.pcf.settings import TEMPORARY

DEVELOPER = "space_developer"


def of_rights(looks: Looks, *wanted: str) -> Iterator[str]:
    """Whether whoever we are may push and route apps in the space. `wanted`: further features of
    the foundation that it takes."""
    person = looks.api.person
    if not person.may_write:
        yield f"{person.name} may only read: its client needs the scope cloud_controller.write"
    elif not person.is_admin:
        yield from _of_role(looks)
        if looks.organization.get("suspended"):
            yield (
                f"The organization {looks.target.settings['organization']} is suspended: only "
                "administrators can change what is in it"
            )
    yield from flags.turned_off(looks, (*flags.ALWAYS, *wanted))


def _of_role(looks: Looks) -> Iterator[str]:
    person, space = looks.api.person, looks.target.settings["space"]
    found = looks.api.pages("/v3/roles", user_guids=person.guid, space_guids=looks.space_guid)
    roles = sorted(str(each["type"]) for each in found)
    if DEVELOPER not in roles:
        has = f"is only {', '.join(roles)}" if roles else "has no role"
        yield (
            f"{person.name} {has} in the space {space}: it must be {DEVELOPER} to change apps "
            "and routes"
        )


def of_manifest(looks: Looks, manifest: Filled) -> Iterator[str]:
    """What it names that is not there."""
    yield from _missing(
        looks, "service instance", "/v3/service_instances", manifest.services, "space_guids"
    )
    installed = [each for each in manifest.buildpacks if "/" not in each]  # others are URLs
    yield from _missing(looks, "buildpack", "/v3/buildpacks", installed)
    yield from _missing(looks, "stack", "/v3/stacks", [manifest.stack] if manifest.stack else [])


def missing_routes(looks: Looks, spec: StepSpec, manifest: Filled) -> list[str]:
    """Those that are to be made."""
    wanted = [*routes.final_of(looks, manifest)]
    if spec.settings["routes"] == TEMPORARY:
        wanted += routes.temporary_of(looks)
    own = routes.by_url(looks.routes())
    return [text for text in dict.fromkeys(wanted) if text not in own]


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


def of_routes(looks: Looks, missing: list[str]) -> Iterator[str]:
    """Routes that could not be made: of no domain that the organization has, or of another
    space."""
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
