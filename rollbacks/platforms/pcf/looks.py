"""What runs: the apps of a series that have instances, and who is sent to them."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rollbacks.platforms.base import (
    Member,
    Observation,
    ObservedInstance,
    PlatformError,
    TargetRef,
)
from rollbacks.platforms.pcf import counts, plans, series, states, troubles, waits
from rollbacks.platforms.pcf.apps import App
from rollbacks.platforms.pcf.calls import Looks
from rollbacks.platforms.pcf.destinations import Route

_DIGEST = 20


def observed(target: TargetRef, instances: Sequence[str]) -> Observation:
    """Raises PlatformError only where nothing at all could be learned."""
    key = series.key_of(target)
    if unknown := [each for each in instances if each != key]:
        raise PlatformError(
            f"{', '.join(unknown)}: no such apps in {target.infrastructure}.", permanent=True
        )
    looks = Looks(target)
    every = looks.apps()
    try:
        return Observation((_Sight(looks, every).seen(),))
    except PlatformError as fault:
        return Observation((ObservedInstance(key, None, message=f"{key}: {fault}"),))


class _Sight:
    """The apps that have instances, and the routes of the target and of these."""

    def __init__(self, looks: Looks, every: Sequence[App]) -> None:
        self._looks = looks
        self._idle = {each.guid for each in every if not each.is_active}
        self._active = [each for each in every if each.is_active]
        self._routes = plans.own_routes(looks, self._active, self._final())

    def _final(self) -> dict[str, str | None]:
        found: dict[str, str | None] = dict.fromkeys(self._looks.target.settings["routes"])
        for each in self._active:
            found |= plans.final_routes(each)
        return found

    def seen(self) -> ObservedInstance:
        looks = self._looks
        serving = plans.serving(
            self._active, self._routes, looks.target.settings["temporary_routes"]
        )
        if serving is None:
            return ObservedInstance(looks.key, "", message="No app has instances.", members=())
        stats = {each.guid: list(self._stats(each)) for each in self._active}
        ill = [text for each in self._active if (text := _ill(each, stats[each.guid]))]
        beside = [
            f"{each.name} has {counts.text_of(each.counts)} instances of "
            f"{each.version or 'no known version'}"
            for each in self._active
            if each is not serving
        ]
        return ObservedInstance(
            key=looks.key,
            identity=self._identity(serving.version),
            version=serving.version,
            is_healthy=not ill,
            message="; ".join([*ill, *beside]),
            members=tuple(_member(each, one) for each in self._active for one in stats[each.guid]),
        )

    def _stats(self, app: App) -> Iterator[Mapping[str, Any]]:
        for kind, count in app.counts.items():
            if count:
                yield from waits.stats(self._looks, app.processes[kind].guid)

    def _identity(self, version: str) -> str:
        """What exactly runs: equal for two looks between which nothing was changed."""
        found = states.states_of(self._looks, self._active, is_whole=False)
        every = {guid: each.identity for guid, each in found.items()}
        text = json.dumps([every, self._declared(self._routes)], sort_keys=True)
        return f"{version}:{hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]}"

    def _declared(self, found: Sequence[Route]) -> dict[str, Any]:
        """Whom each route sends people to, but for apps of the series that have no instances."""
        declared = {
            each.url: sorted(
                json.dumps(one.as_json, sort_keys=True)
                for one in each.destinations
                if one.app not in self._idle
            )
            for each in found
        }
        return {url: to for url, to in declared.items() if to}


def _member(app: App, instance: Mapping[str, Any]) -> Member:
    return Member(
        f"{app.name} {instance['type']}/{instance['index']}",
        app.version,
        waits.is_well(instance),
        troubles.of_instance(instance),
    )


def _ill(app: App, stats: Sequence[Mapping[str, Any]]) -> str:
    """What a person needs to know of it; empty where all is well."""
    well, wanted = sum(waits.is_well(each) for each in stats), sum(app.counts.values())
    if well >= wanted:
        return ""
    said = ", ".join(dict.fromkeys(filter(None, map(troubles.of_instance, stats))))
    return f"{app.name}: {well} of {wanted} instances are well" + (f"; {said}" if said else "")
