"""The way back of every step of a series: the services, listeners and weights that its capture
kept.

Old services first have their tasks, running and healthy; then everybody is sent there; only then
the new one shrinks. The base service is never among them.
"""

from collections.abc import Mapping
from typing import Any

from rollbacks.platforms.base import PlatformError, Running
from rollbacks.platforms.ecs import dns, routing, sizing, waits
from rollbacks.platforms.ecs.calls import Call
from rollbacks.platforms.ecs.services import Service, differing, of_release
from rollbacks.platforms.ecs.states import GONE, State, states_in


class Back:
    """One call of undo; does only what is still missing."""

    def __init__(self, call: Call, captured: Mapping[str, Any]) -> None:
        self._call = call
        self._captured = captured
        self._was = states_in(captured)
        every = call.services()
        self._new = of_release(every, call.spec.release)
        self._found = {each.name: each for each in every}
        new_name = self._new.name if self._new else str(captured.get("new", ""))
        self._old = {name: was for name, was in self._was.items() if name != new_name}
        self._scalings = call.scalings({*self._was, *([self._new.name] if self._new else [])})

    def go(self, *, is_last: bool) -> Running | None:
        """None once everything is as it was captured; Running where the time limit comes near.

        `is_last`: nothing of the deployment comes before this step. Only then the old services
        scale by themselves again.
        """
        self._require_old()
        if self._new:
            self._strip(self._new)
        if waits_for := self._raise_old():
            return waits_for
        if waits_for := self._send_back():
            return waits_for
        self._color()
        if is_last:
            self._let_scale()
        return self._lower_new()

    def _require_old(self) -> None:
        for name in self._old:
            if name not in self._found:
                raise PlatformError(
                    f"{name} was deleted by somebody; it cannot be brought back as it was.",
                    permanent=True,
                )

    def _strip(self, new: Service) -> None:
        """Nothing makes it grow any more, but what did so before."""
        was = self._was.get(new.name, GONE)
        sizing.bring(self._call, new.name, was.scaling, self._scalings.get(new.name))

    def _raise_old(self) -> Running | None:
        for name, was in self._old.items():
            service = self._found[name]
            changes = differing(service, was.settings) if was.settings else {}
            if was.definition != service.definition:
                changes["taskDefinition"] = was.definition
            if was.count != service.desired and not self._may_stay(service, was):
                sizing.calm(self._call, service, self._scalings.get(name))
                changes["desiredCount"] = was.count
            if changes:
                self._call.update(name, **changes)
        return waits.up(self._call, {name: was.count for name, was in self._old.items()})

    def _may_stay(self, service: Service, was: State) -> bool:
        """Whether it is its own policies that have made it larger since: no step lets a service
        shrink whose policies may still act."""
        now = self._scalings.get(service.name)
        return now is not None and now.acts and service.desired > was.count

    def _send_back(self) -> Running | None:
        for arn, actions in self._captured.get("listeners", {}).items():
            routing.bring(self._call, arn, actions)
        if "records" in self._captured:
            return dns.bring(self._call, self._captured["records"])
        return None

    def _color(self) -> None:
        for name, was in self._was.items():
            if name in self._found:
                self._call.color(self._found[name], was.color)

    def _let_scale(self) -> None:
        """As they did before the deployment; the bounds may move a count that was outside."""
        for name, was in self._old.items():
            sizing.bring(self._call, name, was.scaling, self._call.scalings([name]).get(name))

    def _lower_new(self) -> Running | None:
        if self._new is None:
            return None
        count = self._was.get(self._new.name, GONE).count
        if self._new.desired > count:
            if "records" in self._captured and (waits_for := dns.forgotten(self._call)):
                return waits_for
            self._call.resize(self._new, count)
        return waits.down(self._call, {self._new.name: count})
