"""The routes of a target: found, made, and brought to send people where they are to go."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rollbacks.platforms import waits
from rollbacks.platforms.base import PlatformError, Running
from rollbacks.platforms.pcf import destinations, series
from rollbacks.platforms.pcf.addresses import Address, address_of, domains_of
from rollbacks.platforms.pcf.calls import Call, Looks
from rollbacks.platforms.pcf.destinations import (
    Destination,
    Route,
    destination_of,
    route_of,
    superfluous,
    unmet,
)
from rollbacks.platforms.pcf.filling import Filled

Wanted = Sequence[Destination]


def final_of(looks: Looks, manifest: Filled) -> dict[str, str | None]:
    """Where everybody is sent, each with its protocol."""
    return {**dict.fromkeys(looks.target.settings["routes"]), **manifest.routes}


def temporary_of(looks: Looks) -> list[str]:
    """PlatformError where the infrastructure definition names none."""
    found = list(looks.target.settings["temporary_routes"])
    if not found:
        raise PlatformError(
            f"Blue/green needs temporary_routes in the infrastructure definition "
            f"{looks.target.infrastructure}.",
            permanent=True,
        )
    return found


def known(looks: Looks, texts: Iterable[str]) -> dict[str, Address]:
    """Each route with its domain, where the organization has one that fits."""
    wanted = list(texts)
    names = sorted({each for text in wanted for each in domains_of(text)})
    if not names:
        return {}
    path = f"/v3/organizations/{looks.organization_guid}/domains"
    domains = [str(each["name"]) for each in looks.api.pages(path, names=",".join(names))]
    found = {text: address_of(text, domains) for text in wanted}
    return {text: each for text, each in found.items() if each is not None}


def domain_guid(looks: Looks, name: str) -> str:
    path = f"/v3/organizations/{looks.organization_guid}/domains"
    return str(next(looks.api.pages(path, names=name))["guid"])


def by_url(routes: Iterable[Route]) -> dict[str, Route]:
    return {each.url: each for each in routes}


def made(call: Call, texts: Iterable[str]) -> dict[str, Route]:
    """Every one of these routes, by how people write it; made where it is missing."""
    wanted = list(texts)
    found = by_url(call.routes())
    if missing := [text for text in wanted if text not in found]:
        addresses = known(call, missing)
        for text in missing:
            if text not in addresses:
                raise PlatformError(f"No domain is there for the route {text}.", permanent=True)
            found[text] = _create(call, addresses[text])
    return {text: found[text] for text in wanted}


def _create(call: Call, address: Address) -> Route:
    given = {"host": address.host, "path": address.path}
    body = {
        **{key: each for key, each in given.items() if each},
        "relationships": {
            "space": {"data": {"guid": call.space_guid}},
            "domain": {"data": {"guid": domain_guid(call, address.domain)}},
        },
        "metadata": {"annotations": {series.RELEASE: call.spec.release}},
    }
    return route_of(call.write("POST", "/v3/routes", body).document)


def bring(call: Call, pairs: Iterable[tuple[Route, Wanted]], overlap: float) -> Running | None:
    """Each route sends people exactly there.

    `overlap`: seconds between the coming of new destinations and the going of old ones, so that at
    no moment there is none.
    """
    leaving: list[str] = []
    for route, wanted in pairs:
        leaving += _come(call, route, wanted)
    if leaving and not waits.slept(call.control, overlap):
        return Running("Routes have both their old and their new destinations")
    for path in leaving:
        call.write("DELETE", path)
    return None


def _come(call: Call, route: Route, wanted: Wanted) -> list[str]:
    """Add what is missing; the paths of what is to go. Weights must add up: where there are any,
    all is changed at once."""
    now, path = list(route.destinations), f"/v3/routes/{route.guid}/destinations"
    is_weighted = any(each.weight is not None for each in (*now, *wanted))
    for is_chosen in (False, True):
        missing = unmet(wanted, now)
        told = wanted if is_weighted else missing
        if missing or (is_weighted and superfluous(wanted, now)):
            bodies = [(each if is_chosen else each.by_default).body for each in told]
            method = "PATCH" if is_weighted else "POST"
            answer = call.write(method, path, {"destinations": bodies})
            now = [destination_of(each) for each in answer.document["destinations"]]
    return [] if is_weighted else [f"{path}/{each.guid}" for each in superfluous(wanted, now)]


def restored(call: Call, captured: Mapping[str, Any]) -> list[tuple[Route, list[Destination]]]:
    """What each captured route is to send to again, but for apps that are there no more.

    PlatformError where a route itself was deleted.
    """
    found = {each.guid: each for each in call.routes()}
    owed = destinations.owed(captured, found, call.spec.release)
    there = call.there(one.app for _, wanted in owed.values() for one in wanted)
    pairs = []
    for guid, (url, wanted) in owed.items():
        if guid not in found:
            raise PlatformError(
                f"The route {url} was deleted by somebody; it cannot be brought back as it was.",
                permanent=True,
            )
        pairs.append((found[guid], [each for each in wanted if each.app in there]))
    return pairs
