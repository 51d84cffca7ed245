"""Services on their way to what UpdateService was told: followed until ECS has them steady."""

from collections.abc import Mapping
from typing import Any

from rollbacks.platforms import waits
from rollbacks.platforms.base import (
    Done,
    InstanceOutcome,
    OutcomeState,
    PlatformError,
    Progress,
)
from rollbacks.platforms.ecs import troubles
from rollbacks.platforms.ecs.calls import ECS, Call, Looks
from rollbacks.platforms.ecs.definitions import short
from rollbacks.platforms.ecs.services import Service

_WENT_BACK = "ROLLBACK"


class Rolling:
    """`wanted`: the ARN of the task definition that each service is to run, by name."""

    def __init__(self, call: Call, wanted: Mapping[str, str]) -> None:
        self._call = call
        self._wanted = wanted
        self._changed: set[str] = set()
        self._said: dict[str, InstanceOutcome] = {}

    def change(self, service: Service, changes: Mapping[str, Any]) -> None:
        """Tell ECS what is still missing; a deployment that has failed is begun once more."""
        has_failed = service.primary.get("rolloutState") == "FAILED"
        again = {"forceNewDeployment": True} if has_failed and not changes else {}
        if told := {**changes, **again}:
            self._call.update(service.name, **told)
            self._changed.add(service.name)

    def follow(self, done: str) -> Progress:
        """Wait for all of them. What fails hides none of the others; PlatformError at the end."""
        names = list(self._wanted)
        waits_for = waits.until(
            self._call.control, self._missing, lambda: troubles.of(self._call, self._open(names))
        )
        if waits_for:
            return waits_for
        failed = [each.message for each in self._said.values() if each.state in _FAILED]
        if failed:
            raise PlatformError("; ".join(failed), permanent=True)
        for name in names:
            state = OutcomeState.DONE if name in self._changed else OutcomeState.UNCHANGED
            self._call.control.report(name, InstanceOutcome(state, done))
        return Done(done)

    def _open(self, names: list[str]) -> list[str]:
        return [each for each in names if each not in self._said]

    def _missing(self) -> dict[str, str]:
        """Of those that are neither steady nor failed."""
        left = self._open(list(self._wanted))
        found = self._call.named(left) if left else {}
        waiting: dict[str, str] = {}
        for name in left:
            if name not in found:
                self._end(name, OutcomeState.FAILED, f"{name} was deleted by somebody")
            elif said := _broken(self._call, found[name], self._wanted[name]):
                self._end(name, OutcomeState.FAILED, said)
            elif found[name].is_rolled_out:
                self._end(name, OutcomeState.DONE, "Steady")
            else:
                waiting[name] = _progress(found[name])
        return waiting

    def _end(self, name: str, state: OutcomeState, message: str) -> None:
        self._said[name] = InstanceOutcome(state, message)
        if state in _FAILED:
            self._call.control.report(name, self._said[name])


_FAILED = (OutcomeState.FAILED,)


def _progress(service: Service) -> str:
    primary = service.primary
    old = sum(int(each["runningCount"]) for each in service.deployments[1:])
    return (
        f"{service.name} has {primary.get('runningCount', 0)} of {service.desired} tasks of "
        f"{short(str(primary.get('taskDefinition', '')))} running"
        + (f", {old} others still run" if old else "")
    )


def _broken(looks: Looks, service: Service, wanted: str) -> str:
    """Why it will not get there; empty where it still may."""
    if service.primary.get("taskDefinition") != wanted:
        return _left(looks, service, wanted)
    if service.primary.get("rolloutState") == "FAILED":
        return _told(service, str(service.primary.get("rolloutStateReason") or "it failed"))
    return ""


def _left(looks: Looks, service: Service, wanted: str) -> str:
    """Its PRIMARY deployment is another one: ECS has gone back by itself, or somebody else came."""
    for each in service.deployments[1:]:
        if each.get("taskDefinition") == wanted and each.get("rolloutState") == "FAILED":
            reason = str(each.get("rolloutStateReason") or "the deployment failed")
            return _told(service, f"ECS went back by itself: {reason}")
    latest = _latest(looks, service)
    if str(latest.get("status", "")).startswith(_WENT_BACK):
        reason = str(latest.get("statusReason") or "the deployment failed")
        return _told(service, f"ECS went back by itself: {reason}")
    return f"{service.name} was changed by somebody else: it runs {short(service.definition)} now"


def _told(service: Service, reason: str) -> str:
    said = troubles.event_of(service)
    return f"{service.name}: {reason.rstrip('.')}" + (f" ({said})" if said else "")


def _latest(looks: Looks, service: Service) -> Mapping[str, Any]:
    """Its newest service deployment, as AWS lists it."""
    found = looks.api.read(
        ECS,
        "list_service_deployments",
        cluster=looks.cluster,
        service=service.name,
        maxResults=1,
    )["serviceDeployments"]
    return dict(found[0]) if found else {}
