"""Where a request comes in: who is it, may they, is it to go wrong, and who does it."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from tests.transport import Dropped, HttpAnswer, HttpRequest

from . import faults, wire
from .asked import Actions, Asked
from .faults import Call, Faults
from .identities import Identities, Principal
from .passing import is_passed_on
from .policies import Decision, decide, denied
from .refusals import Refused, not_modelled
from .resources import resources_of
from .services import Dialect
from .throttling import Buckets
from .wire import Incoming
from .world import World

_SECRET = ("password", "secretaccesskey", "userdata", "sessiontoken")
_FREE = {("sts", "GetCallerIdentity"), ("sts", "AssumeRole")}  # AssumeRole looks for itself


class Front:
    """`beforehand`: what refuses an action that moto would do; `afterwards`: what else changes."""

    def __init__(
        self,
        world: World,
        identities: Identities,
        actions: Mapping[str, Actions],
        beforehand: Mapping[tuple[str, str], Callable[[Asked], None]],
        afterwards: Mapping[tuple[str, str], Callable[[Asked], None]],
    ) -> None:
        self.faults = Faults()
        self.buckets = Buckets(world.loop.clock)
        self.calls: list[Call] = []
        self._world = world
        self._identities = identities
        self._actions = actions
        self._beforehand = beforehand
        self._afterwards = afterwards

    def answer(self, http: HttpRequest) -> HttpAnswer:
        dialect = None
        try:
            scope = wire.scope(http)
            dialect = scope.dialect
            principal = self._identities.authenticate(http, scope.access_key, dialect)
            if scope.region != self._world.region and not dialect.is_global:
                raise not_modelled(f"the region {scope.region}, only {self._world.region}")
            return self._observed(wire.read(http, dialect), principal)
        except Refused as refused:
            return wire.error(refused, dialect, wire.speaks_json(http))

    def _observed(self, incoming: Incoming, principal: Principal) -> HttpAnswer:
        if not principal.is_observed:
            return self._done(incoming, principal)
        dialect = incoming.dialect
        call = Call(
            dialect.name, incoming.action, principal.arn, without_secrets(incoming.parameters)
        )
        self.calls.append(call)
        fault = self.faults.of(call)
        _go_wrong(fault, dialect)
        if not self.buckets.take(dialect.name, incoming.action):
            raise Refused(*dialect.throttled)
        answer = self._done(incoming, principal)
        if isinstance(fault, faults.Drop):
            raise Dropped
        return answer

    def _done(self, incoming: Incoming, principal: Principal) -> HttpAnswer:
        dialect, action = incoming.dialect, incoming.action
        asked = Asked(dialect, action, incoming.parameters, principal)
        if (dialect.name, action) not in _FREE:
            self._authorize(asked)
        do = self._actions.get(dialect.name, {}).get(action)
        with self._world.loop.lock:
            if do is not None:
                return wire.result(incoming, do(asked))
            if not is_passed_on(dialect.name, action):
                raise not_modelled(f"{dialect.name} {action}")
            self._beforehand.get((dialect.name, action), _nothing)(asked)
            answer = self._world.beneath.pass_on(incoming.http, action)
            if answer.status < 400:
                self._afterwards.get((dialect.name, action), _nothing)(asked)
            return answer

    def _authorize(self, asked: Asked) -> None:
        permission = f"{asked.dialect.prefix}:{asked.action}"
        for resource in resources_of(
            self._world, asked.dialect.name, asked.action, asked.parameters
        ):
            decision = decide(asked.principal.statements, permission, resource)
            if decision is not Decision.ALLOWED:
                raise denied(asked.principal.arn, permission, resource, decision, asked.dialect)


def _nothing(asked: Asked) -> None:
    pass


def without_secrets(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            key: "…" if any(each in key.lower() for each in _SECRET) else without_secrets(inner)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [without_secrets(each) for each in value]
    return value


def _go_wrong(fault: faults.Fault | None, dialect: Dialect) -> None:
    match fault:
        case faults.Answer(code):
            name = dialect.broken if code == 500 else "ServiceUnavailable"
            raise Refused(name, "The request failed because of an unknown error.", code)
        case faults.Throttled():
            raise Refused(*dialect.throttled)
        case faults.Drop(after_effect=False):
            raise Dropped
        case faults.Delay(seconds):
            time.sleep(seconds)
