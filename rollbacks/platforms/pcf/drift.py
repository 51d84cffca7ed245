"""What somebody else has changed since a capture, and what a rollback makes of it, in sentences."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rollbacks.platforms.pcf import destinations, states
from rollbacks.platforms.pcf.apps import App
from rollbacks.platforms.pcf.calls import Looks
from rollbacks.platforms.pcf.destinations import Destination, Route
from rollbacks.platforms.pcf.states import State

# What is captured to be known again, and what a rollback does not bring back.
_LEFT = {
    "bindings": "service bindings",
    "sidecars": "sidecars",
    "features": "features",
}
_STAYS = "the rollback leaves that as it is now"


def of_apps(looks: Looks, was: Mapping[str, State], now: Mapping[str, State]) -> Iterator[str]:
    """Of each old app that is still there."""
    for guid, before in was.items():
        if guid in now:
            yield from _of_app(looks, guid, before, now[guid])


def _of_app(looks: Looks, guid: str, before: State, now: State) -> Iterator[str]:
    name = before.name
    if now.name != name:
        yield f"{name} is called {now.name} now; it is known by its GUID, and keeps the new name"
    if now.droplet != before.droplet:
        yield (
            f"{name} runs another droplet than the deployment left: somebody has changed it since; "
            "the rollback takes the one from before, and restarts it"
        )
    if now.environment != before.environment:
        yield _of_environment(looks, guid, before)
    if _commands(now) != _commands(before):
        yield (
            f"Commands, health checks or types of processes of {name} were changed by somebody "
            f"since; {_STAYS}"
        )
    for key, what in _LEFT.items():
        if getattr(now, key) != getattr(before, key):
            yield f"The {what} of {name} were changed by somebody since; {_STAYS}"


def _of_environment(looks: Looks, guid: str, before: State) -> str:
    said = f"Environment variables of {before.name} were changed by somebody since"
    kept = states.environment_in(looks, before.revision) if before.revision else None
    if kept is not None and states.digest(guid, kept) == before.environment:
        return f"{said}; the rollback takes those of its revision from before, and restarts it"
    return f"{said}, and no revision keeps those from before; {_STAYS}"


def _commands(state: State) -> dict[str, Any]:
    own = ("command", "health_check", "readiness_health_check")
    return {kind: {key: each.get(key) for key in own} for kind, each in state.processes.items()}


def of_routes(
    looks: Looks, every: Sequence[Route], captured: Mapping[str, Any], ours: set[str]
) -> Iterator[str]:
    """Of each captured route that somebody else's apps have come to, or gone from."""
    was, names = destinations.parsed(captured), names_of(looks)
    for route in every:
        if route.guid not in was:
            continue
        _, before = was[route.guid]
        come = [
            each
            for each in destinations.superfluous(before, route.destinations)
            if each.app not in ours
        ]
        for each in come:
            yield (
                f"Somebody has mapped {route.url} to {spelled(names, each)} since: the rollback "
                "takes that away"
            )
        for each in destinations.unmet(before, route.destinations):
            if each.app not in ours:
                yield _of_gone(route, names, each)


def _of_gone(route: Route, names: Mapping[str, str], each: Destination) -> str:
    if each.app in names:
        return (
            f"Somebody has unmapped {route.url} from {spelled(names, each)} since: the rollback "
            "maps it again"
        )
    return f"An app that had {route.url} is gone: the route comes back without it"


def who_else(looks: Looks, found: Iterable[App]) -> Iterator[str]:
    """Who else changes these apps now."""
    names = {each.guid: each.name for each in found}
    if not names:
        return
    asked = {"app_guids": ",".join(names), "status_values": "ACTIVE"}
    for each in looks.api.pages("/v3/deployments", **asked):
        guid = str(each["relationships"]["app"]["data"]["guid"])
        yield (
            f"A rolling deployment of {names.get(guid, guid)} by Cloud Foundry itself is in "
            "progress: until it has ended, the app cannot be resized"
        )


def names_of(looks: Looks) -> dict[str, str]:
    """Of all apps in the space, by GUID."""
    found = looks.api.pages("/v3/apps", space_guids=looks.space_guid)
    return {str(each["guid"]): str(each["name"]) for each in found}


def spelled(names: Mapping[str, str], each: Destination) -> str:
    """A destination as people read it."""
    parts = [names.get(each.app, each.app), each.type if each.type != "web" else ""]
    weight = f"({each.weight} %)" if each.weight is not None else ""
    return " ".join(filter(None, (*parts, f"port {each.port}" if each.port else "", weight)))
