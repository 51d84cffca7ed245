"""Destinations of a route: what may be asked for, and what comes of it."""

from collections import Counter
from typing import Any

from . import records as r
from .calls import Call
from .problems import unprocessable
from .state import State

Json = dict[str, Any]
_PROTOCOLS = ("http1", "http2", "tcp")


def read(call: Call, *, least: int, with_weights: bool) -> list[r.Destination]:
    """As the body says."""
    given = call.require_keys("destinations").get("destinations")
    if not isinstance(given, list) or not least <= len(given) <= 100:
        raise unprocessable(
            f"Destinations must be an array containing between {least} and 100 destination objects."
        )
    found = [_read_one(index, each, with_weights) for index, each in enumerate(given)]
    _require_whole([each.weight for each in found])
    return found


def _read_one(index: int, given: Json, with_weights: bool) -> r.Destination:
    if wrong := _wrong_with(given, with_weights):
        raise unprocessable(f"Destinations[{index}]: {wrong}")
    process = given["app"].get("process") or {"type": r.WEB}
    return r.Destination(
        app=given["app"]["guid"],
        process_type=process["type"],
        port=given.get("port"),
        weight=given.get("weight"),
        protocol=given.get("protocol") or "http1",
    )


def _wrong_with(given: Json, with_weights: bool) -> str | None:
    if set(given) - {"app", "weight", "port", "protocol"}:
        return 'must have only "app" and optionally "weight", "port" or "protocol".'
    if not isinstance((given.get("app") or {}).get("guid"), str):
        return 'app must have the structure {"guid": "app_guid"}'
    weight = given.get("weight")
    if weight is not None and not with_weights:
        return "weighted destinations can only be used when replacing all destinations."
    if weight is not None and not (isinstance(weight, int) and 1 <= weight <= 100):
        return "weight must be a positive integer between 1 and 100."
    if given.get("protocol") not in (None, *_PROTOCOLS):
        return "protocol must be 'http1', 'http2' or 'tcp'."
    return None


def _require_whole(weights: list[int | None]) -> None:
    given = [each for each in weights if each is not None]
    if not given:
        return
    if len(given) != len(weights):
        raise unprocessable(
            "Destinations cannot contain both weighted and unweighted destinations."
        )
    if sum(given) != 100:
        raise unprocessable("Destinations must have weights that sum to 100.")


def require_apps(call: Call, route: r.Route, given: list[r.Destination]) -> None:
    """They exist, in the route's space, and the caller may see them."""
    found = {each.app: call.state.find(r.App, each.app) for each in given}
    if lost := [guid for guid, app in found.items() if app is None]:
        named = '", "'.join(lost)
        raise unprocessable(f'App(s) with guid(s) "{named}" do not exist.')
    apps = [each for each in found.values() if each is not None]
    if hidden := [each.guid for each in apps if not call.can_see(each)]:
        named = '", "'.join(hidden)
        raise unprocessable(f'App(s) with guid(s) "{named}" you do not have access.')
    if any(each.space != route.space for each in apps):
        raise unprocessable(
            "Routes destinations must be in either the route's space or the route's shared spaces"
        )


def insert(state: State, route: r.Route, given: list[r.Destination]) -> None:
    """Those that are there already stay as they are."""
    if any(each.weight is not None for each in route.destinations):
        raise unprocessable(
            "Destinations cannot be inserted when there are weighted destinations "
            "already configured."
        )
    _require_unique(given)
    held = {(each.app, each.process_type, each.port) for each in route.destinations}
    for each in given:
        if (each.app, each.process_type, each.port) not in held:
            each.created = state.clock.now
            route.destinations.append(each)
    state.touch(route)


def replace(state: State, route: r.Route, given: list[r.Destination]) -> None:
    """Those that stay the same keep their GUID."""
    _require_unique(given)
    held = {each.key: each for each in route.destinations}
    for each in given:
        each.created = state.clock.now
    route.destinations = [held.get(each.key, each) for each in given]
    state.touch(route)


def _require_unique(given: list[r.Destination]) -> None:
    if any(count > 1 for count in Counter(each.key for each in given).values()):
        raise unprocessable("Destinations cannot contain duplicate entries")
