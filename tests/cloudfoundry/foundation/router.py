"""The router: which app answers a request to a host and a path at this moment."""

import random
from dataclasses import dataclass

from . import diego
from . import records as r
from .state import State


@dataclass(frozen=True)
class Reply:
    """404 where no route fits, 503 where no instance answers; else who answered."""

    status: int
    app: str | None = None
    guid: str | None = None
    version: str | None = None
    index: int | None = None


@dataclass(frozen=True)
class _Backend:
    app: r.App
    instance: diego.Instance


def ask(state: State, host: str, path: str, chance: random.Random, *, weighs: bool) -> Reply:
    """By the longest path that fits; over all instances, unless it `weighs` the destinations."""
    route = _route(state, host.lower(), path)
    if route is None:
        return Reply(404)
    pools = [(each.weight, _backends(state, each)) for each in route.destinations]
    alive = [(weight, pool) for weight, pool in pools if pool]
    if not alive:
        return Reply(503)
    chosen = _chosen(alive if weighs else [(None, pool) for _, pool in alive], chance)
    instance = chosen.instance
    return Reply(200, chosen.app.name, chosen.app.guid, instance.version, instance.index)


def _route(state: State, host: str, path: str) -> r.Route | None:
    fitting = [each for each in state.all(r.Route) if _fits(state, each, host, path)]
    return max(fitting, key=lambda each: len(each.path), default=None)


def _fits(state: State, route: r.Route, host: str, path: str) -> bool:
    domain = state.get(r.Domain, route.domain).name
    name = f"{route.host}.{domain}" if route.host else domain
    is_named = name == host or (route.host == "*" and host.endswith(f".{domain}"))
    return is_named and (path + "/").startswith(route.path.rstrip("/") + "/")


def _backends(state: State, destination: r.Destination) -> list[_Backend]:
    app = state.get(r.App, destination.app)
    return [
        _Backend(app, instance)
        for process in state.processes(app, destination.process_type)
        for instance in diego.answering(state, process)
    ]


def _chosen(alive: list[tuple[int | None, list[_Backend]]], chance: random.Random) -> _Backend:
    weights = [weight for weight, _ in alive if weight is not None]
    if len(weights) == len(alive):
        pool = chance.choices([pool for _, pool in alive], weights)[0]
        return chance.choice(pool)
    return chance.choice([each for _, pool in alive for each in pool])
