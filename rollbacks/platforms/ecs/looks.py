"""What runs: services in place, or those of a series that have tasks, and who is sent to them."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from rollbacks.platforms.aws import balancing
from rollbacks.platforms.base import (
    Member,
    Observation,
    ObservedInstance,
    PlatformError,
    TargetRef,
)
from rollbacks.platforms.ecs import dns, routing, series, services, tasks, troubles
from rollbacks.platforms.ecs.calls import Looks
from rollbacks.platforms.ecs.scaling import Scaling
from rollbacks.platforms.ecs.services import Service
from rollbacks.platforms.ecs.tasks import Task

_DIGEST = 20
Routes = Mapping[str, Any]


def observed(target: TargetRef, instances: Sequence[str]) -> Observation:
    """Raises PlatformError only where nothing at all could be learned."""
    keys = series.keys_of(target)
    if unknown := [each for each in instances if each not in keys]:
        raise PlatformError(
            f"{', '.join(unknown)}: no such services in {target.infrastructure}.", permanent=True
        )
    looks, wanted = Looks(target), tuple(instances) or keys
    if not target.settings["base_service"]:
        return Observation(tuple(_Sight(looks, looks.named(wanted).values()).in_place(wanted)))
    found = looks.services()
    try:
        sight = _Sight(looks, [each for each in found if each.is_active])
        return Observation((sight.of_series(),))
    except PlatformError as fault:
        return Observation((ObservedInstance(keys[0], None, message=f"{keys[0]}: {fault}"),))


class _Sight:
    """These services with all their tasks, in as few requests as there can be."""

    def __init__(self, looks: Looks, found: Any) -> None:
        self._looks = looks
        self._services: list[Service] = list(found)
        self._tasks = tasks.of(looks, self._services)
        self._scalings = looks.scalings(each.name for each in self._services)

    def in_place(self, wanted: Sequence[str]) -> list[ObservedInstance]:
        by_name = {each.name: each for each in self._services}
        return [
            self._one(by_name[name])
            if name in by_name
            else ObservedInstance(name, "", message="No such service is there.", members=())
            for name in wanted
        ]

    def _one(self, service: Service) -> ObservedInstance:
        version = self._version(service.definition)
        ill = self._ill(service)
        return ObservedInstance(
            key=service.name,
            identity=self._identity(version, [service], {}),
            version=version,
            is_healthy=not ill,
            message=ill,
            members=self._members([service]),
        )

    def of_series(self) -> ObservedInstance:
        key = self._looks.key
        if not self._services:
            return ObservedInstance(key, "", message="No service has tasks.", members=())
        routes = _routes(self._looks)
        serving = _serving(self._services, routes)
        version = serving.version or self._version(serving.definition)
        ill = [text for each in self._services if (text := self._ill(each))]
        beside = [
            f"{each.name} has {each.desired} tasks of {each.version or 'no known version'}"
            for each in self._services
            if each is not serving
        ]
        return ObservedInstance(
            key=key,
            identity=self._identity(version, self._services, routes),
            version=version,
            is_healthy=not ill,
            message="; ".join([*ill, *beside]),
            members=self._members(self._services),
        )

    def _of(self, service: Service) -> list[Task]:
        return [each for each in self._tasks if each.service == service.name]

    def _members(self, found: Sequence[Service]) -> tuple[Member, ...]:
        return tuple(
            Member(
                each.own_id,
                self._version(each.definition),
                each.is_well,
                ", ".join(each.troubles),
            )
            for service in found
            for each in sorted(self._of(service), key=lambda each: each.own_id)
        )

    def _version(self, definition: str) -> str:
        return self._looks.definition(definition).version

    def _ill(self, service: Service) -> str:
        """What a person needs to know of it; empty where all is well."""
        own = [each for each in self._of(service) if each.definition == service.definition]
        well = sum(each.is_well for each in own)
        if well >= service.desired and service.primary.get("rolloutState") != "FAILED":
            return ""
        said = troubles.of_service(self._looks, service)
        return f"{service.name}: {well} of {service.desired} tasks are well" + (
            f"; {said}" if said else ""
        )

    def _identity(self, version: str, found: Sequence[Service], routes: Routes) -> str:
        """What exactly runs: equal for two looks between which nothing was changed."""
        every = [self._declared(each) for each in found]
        text = json.dumps([every, routes], sort_keys=True)
        return f"{version}:{hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]}"

    def _declared(self, service: Service) -> dict[str, Any]:
        """How many tasks it has is no part of it where its own policies say that."""
        scaling: Scaling | None = self._scalings.get(service.name)
        ran = {each["taskDefinition"] for each in service.deployments if each["runningCount"]}
        return {
            "name": service.name,
            "definitions": sorted({service.definition, *ran}),
            "settings": services.settings_of(service),
            "desired": None if (scaling and scaling.acts) or service.is_daemon else service.desired,
            "scaling": scaling.as_json if scaling else None,
            "color": service.color,
        }


def _routes(looks: Looks) -> dict[str, Any]:
    """Where everybody is sent: the target groups of each listener, or the weights of registries."""
    settings = looks.target.settings
    if settings["listeners"]:
        found = routing.listeners_of(looks)
        return {arn: balancing.forwarded(actions) for arn, actions in found.items()}
    if settings["route53"]:
        weights = dns.weights(dns.records_of(looks))
        pairs = zip(dns.IDENTIFIERS, settings["route53"]["registries"], strict=True)
        return {"registries": {registry: weights.get(key, 0) for key, registry in pairs}}
    return {}


def _serving(active: Sequence[Service], routes: Routes) -> Service:
    """The newest of those that somebody is sent to; the newest of all where nobody is."""
    first: Mapping[str, int] = next(iter(routes.values()), {})
    places = {place for place, weight in first.items() if weight}
    return next(
        (each for each in active if places & {*each.target_groups, *each.registries}), active[0]
    )
