"""Targets of target groups: registered, checked, healthy or not, drained, gone.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from ..asked import Actions, Asked, Json
from ..refusals import Refused
from ..world import World
from .routes import is_used, mend


class State(StrEnum):
    INITIAL = "initial"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    DRAINING = "draining"
    UNUSED = "unused"


_REASONS = {
    State.INITIAL: ("Elb.RegistrationInProgress", "Target registration is in progress"),
    State.UNHEALTHY: ("Target.FailedHealthChecks", "Health checks failed"),
    State.DRAINING: ("Target.DeregistrationInProgress", "Target deregistration is in progress"),
    State.UNUSED: (
        "Target.NotInUse",
        "Target group is not configured to receive traffic from the load balancer",
    ),
}


@dataclass
class Target:
    id: str  # an instance or an IP address
    port: int
    state: State = State.UNUSED
    checks: int = 0  # a check that was begun before another one says nothing


Told = Callable[[str], None]  # of the target whose state changed, by its id
IsWell = Callable[[str, int], bool | None]  # of an id and a port; None: not one of ours


class Targets:
    """`told` hear of each change; `judges` know how targets fare."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._groups: dict[str, dict[tuple[str, int], Target]] = {}
        self.told: list[Told] = []
        self.judges: list[IsWell] = []

    def actions(self) -> Actions:
        return {
            "RegisterTargets": self._asked_to_register,
            "DeregisterTargets": self._asked_to_deregister,
            "DescribeTargetHealth": self.describe,
        }

    def register(self, group: str, target: str, port: int) -> None:
        """Again is harmless; a target that is draining stays."""
        known = self._groups.setdefault(group, {})
        found = known.get((target, port))
        if found is None or found.state is State.DRAINING:
            known[target, port] = Target(target, port)
            self._consider(group, known[target, port])

    def deregister(self, group: str, target: str, port: int | None = None) -> None:
        for each in list(self._groups.get(group, {}).values()):
            if each.id == target and port in (None, each.port):
                self._drain(group, each)

    def state(self, group: str, target: str, port: int | None = None) -> State | None:
        """None where it is not registered, or no more."""
        for each in self._groups.get(group, {}).values():
            if each.id == target and port in (None, each.port):
                return each.state
        return None

    def port_of(self, group: str) -> int:
        """Where targets listen that do not say."""
        return int(self._described(group).get("Port", 80))

    def look_again(self) -> None:
        """Listeners or rules have changed: groups may be used now, or no more."""
        mend(self._world)
        for group, known in self._groups.items():
            used = is_used(self._world, group)
            for target in list(known.values()):
                if used is (target.state is State.UNUSED):
                    self._consider(group, target)

    def forget(self, group: str) -> None:
        """The group was deleted."""
        self._groups.pop(group, None)

    def recheck(self, target: str) -> None:
        """It fares otherwise now: its next health checks will say so."""
        for group, known in self._groups.items():
            for each in known.values():
                if each.id == target and each.state in (State.HEALTHY, State.UNHEALTHY):
                    self._check(group, each)

    def describe(self, asked: Asked) -> Json:
        group = asked.parameters["TargetGroupArn"]
        self._described(group)
        wanted = asked.parameters.get("Targets")
        if not wanted:
            found = list(self._groups.get(group, {}).values())
            return {"TargetHealthDescriptions": [_shown(each) for each in found]}
        return {"TargetHealthDescriptions": [self._answered(group, each) for each in wanted]}

    def _asked_to_register(self, asked: Asked) -> Json:
        group = asked.parameters["TargetGroupArn"]
        described = self._described(group)
        for each in asked.parameters["Targets"]:
            _check_kind(described, each["Id"])
            self.register(group, each["Id"], int(each.get("Port") or described.get("Port", 80)))
        return {}

    def _asked_to_deregister(self, asked: Asked) -> Json:
        group = asked.parameters["TargetGroupArn"]
        self._described(group)
        for each in asked.parameters["Targets"]:
            self.deregister(group, each["Id"], each.get("Port"))
        return {}

    def _described(self, group: str) -> Json:
        """Raises Refused where there is no such group."""
        asked = self._world.beneath.ask("elbv2", "describe_target_groups", TargetGroupArns=[group])
        found: Json = asked["TargetGroups"][0]
        return found

    def _answered(self, group: str, wanted: Json) -> Json:
        """One that is not registered is told of as such, as the real one does."""
        for each in self._groups.get(group, {}).values():
            if each.id == wanted["Id"] and wanted.get("Port") in (None, each.port):
                return _shown(each)
        health = {
            "State": State.UNUSED.value,
            "Reason": "Target.NotRegistered",
            "Description": "Target is not registered to the target group",
        }
        return {"Target": dict(wanted), "TargetHealth": health}

    def _consider(self, group: str, target: Target) -> None:
        if target.state is State.DRAINING:
            return
        if not is_used(self._world, group):
            self._become(target, State.UNUSED)
            return
        self._become(target, State.INITIAL)
        self._check(group, target)

    def _check(self, group: str, target: Target) -> None:
        target.checks += 1
        act = partial(self._checked, target, target.checks)
        self._world.loop.after(self._world.timing.health, act)

    def _checked(self, target: Target, check: int) -> None:
        if target.checks == check and target.state not in (State.DRAINING, State.UNUSED):
            verdicts = (judge(target.id, target.port) for judge in self.judges)
            is_well = next((each for each in verdicts if each is not None), True)
            self._become(target, State.HEALTHY if is_well else State.UNHEALTHY)

    def _drain(self, group: str, target: Target) -> None:
        if target.state is State.DRAINING:
            return
        seconds = self._world.timing.draining if target.state is not State.UNUSED else 0
        self._become(target, State.DRAINING)
        self._world.loop.after(seconds, partial(self._drained, group, target))

    def _drained(self, group: str, target: Target) -> None:
        known = self._groups.get(group, {})
        if known.get((target.id, target.port)) is target and target.state is State.DRAINING:
            del known[target.id, target.port]
            self._tell(target.id)

    def _become(self, target: Target, state: State) -> None:
        if target.state is not state:
            target.state = state
            self._tell(target.id)

    def _tell(self, target: str) -> None:
        for each in self.told:
            each(target)


def _shown(target: Target) -> Json:
    health = {"State": target.state.value}
    if target.state in _REASONS:
        health["Reason"], health["Description"] = _REASONS[target.state]
    return {
        "Target": {"Id": target.id, "Port": target.port},
        "HealthCheckPort": str(target.port),
        "TargetHealth": health,
    }


def _check_kind(group: Json, target: str) -> None:
    is_instance = target.startswith("i-")
    kind = group.get("TargetType", "instance")
    if kind in {"instance", "ip"} and is_instance is not (kind == "instance"):
        what = "instance id" if kind == "instance" else "IP address"
        raise Refused("ValidationError", f"The {what} '{target}' is not valid")
