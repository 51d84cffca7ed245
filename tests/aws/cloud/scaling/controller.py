"""What a group needs now: instances to launch, terminate, replace; target groups to fill."""

from collections.abc import Callable
from functools import partial

from ..balancing.targets import State, Targets
from ..ecs.fates import Fate
from ..loop import Act
from ..refusals import Refused
from ..world import World, now
from . import causes
from .instances import Instances
from .records import Group, Instance, Lifecycle, Template
from .refreshes import Refreshes
from .templates import resolve

_KEPT = 200


class Controller:
    """`deleted` is told of a group that has gone with its last instance."""

    def __init__(self, world: World, targets: Targets, deleted: Callable[[Group], None]) -> None:
        self._world = world
        self._targets = targets
        self._deleted = deleted
        self._acts: dict[Group, Act] = {}
        self.instances = Instances(world, self.wake)
        self.refreshes = Refreshes(world, self.is_well, self.wake)
        self._known: dict[str, tuple[Group, Instance]] = {}
        targets.judges.append(self._fares_well)
        targets.told.append(self._target_changed)

    def wake(self, group: Group) -> None:
        self._world.loop.soon(self._acts.setdefault(group, partial(self._look, group)))

    def attach(self, group: Group, target_group: str) -> None:
        """Adding, then Added, and InService where the group asks for ELB health checks."""
        if target_group not in group.target_groups:
            group.target_groups[target_group] = "Adding"
            act = partial(self._attached, group, target_group)
            self._world.loop.after(self._world.timing.attach, act)

    def detach(self, group: Group, target_group: str) -> None:
        if group.target_groups.get(target_group) in (None, "Removing"):
            return
        group.target_groups[target_group] = "Removing"
        for each in group.instances:
            self._targets.deregister(target_group, each.id)
        act = partial(self._detached, group, target_group)
        self._world.loop.after(self._world.timing.draining + self._world.timing.attach, act)

    def terminate(self, group: Group, instance: Instance, cause: str) -> None:
        drains = False
        for each in group.target_groups:
            drains = drains or self._targets.state(each, instance.id) is not None
            self._targets.deregister(each, instance.id)
        self.instances.terminate(group, instance, cause, drains)
        self.wake(group)

    def is_well(self, group: Group, instance: Instance) -> bool:
        """In service, and healthy for all who are asked."""
        is_there = instance.lifecycle is Lifecycle.IN_SERVICE and instance.health == "Healthy"
        if not is_there or group.settings.get("HealthCheckType") != "ELB":
            return is_there
        return all(
            self._targets.state(each, instance.id) is State.HEALTHY
            for each, state in group.target_groups.items()
            if state != "Removing"
        )

    def find(self, instance: str) -> tuple[Group, Instance] | None:
        return self._known.get(instance)

    def lost(self, names: list[str]) -> None:
        """EC2 instances were terminated or stopped by somebody."""
        for name in names:
            if found := self._known.get(name):
                group, instance = found
                instance.why_unhealthy = causes.GONE
                if group.may("HealthCheck"):
                    instance.health = "Unhealthy"
                self._targets.recheck(name)
                self.wake(group)

    def _look(self, group: Group) -> None:
        if group.is_gone:
            return
        self._known |= {each.id: (group, each) for each in group.instances}
        self._check_health(group)
        self._replace(group)
        self._register(group)
        template = self.refreshes.template_of(group)
        self._scale(group, template)
        for each in self.refreshes.step(group):
            self.terminate(group, each, causes.REFRESHING)
        self._settle_target_groups(group)
        del group.activities[_KEPT:]
        if group.is_deleting and not group.instances:
            group.is_gone = True
            self._acts.pop(group, None)
            self._deleted(group)

    def _check_health(self, group: Group) -> None:
        if group.settings.get("HealthCheckType") != "ELB" or not group.may("HealthCheck"):
            return
        grace = int(group.settings.get("HealthCheckGracePeriod") or 0)
        for each in group.staying:
            if each.in_service_at is None or not self._is_refused(group, each):
                continue
            left = grace - (now() - each.in_service_at).total_seconds()
            if left > 0:
                self._world.loop.after(left, self._acts[group])
            else:
                each.health, each.why_unhealthy = "Unhealthy", causes.ELB

    def _is_refused(self, group: Group, instance: Instance) -> bool:
        """By a target group that has once been in service."""
        return any(
            self._targets.state(each, instance.id) is State.UNHEALTHY
            for each, state in group.target_groups.items()
            if state == "InService"
        )

    def _replace(self, group: Group) -> None:
        if not group.may("ReplaceUnhealthy") or not group.may("Terminate"):
            return
        for each in group.staying:
            if each.health == "Unhealthy":
                self.terminate(group, each, each.why_unhealthy)

    def _register(self, group: Group) -> None:
        if not group.may("AddToLoadBalancer"):
            return
        for target_group, state in group.target_groups.items():
            if state == "Removing":
                continue
            for each in group.staying:
                is_new = self._targets.state(target_group, each.id) is None
                if each.lifecycle is Lifecycle.IN_SERVICE and is_new:
                    port = self._targets.port_of(target_group)
                    self._targets.register(target_group, each.id, port)

    def _scale(self, group: Group, template: Template | None) -> None:
        missing = group.desired - len(group.staying)
        if missing < 0 and group.may("Terminate"):
            self._shrink(group, template)
        may_launch = group.may("Launch") and group.waits_until <= self._world.loop.clock.now()
        if missing > 0 and may_launch and not group.is_deleting:
            self._grow(group, template, missing)

    def _shrink(self, group: Group, template: Template | None) -> None:
        """Protected ones stay; what is not of the present version goes first, then the oldest."""
        able = [each for each in group.staying if not each.is_protected or group.is_deleting]
        ordered = sorted(able, key=lambda each: each.template == template)
        count = len(group.staying)
        for each in ordered[: count - group.desired]:
            self.terminate(group, each, causes.shrunk(group, len(group.staying), each))

    def _grow(self, group: Group, template: Template | None, missing: int) -> None:
        cause = causes.REFRESHED if group.refresh else causes.grown(group, len(group.staying))
        try:
            if "EC2" in self._world.shortages:
                raise Refused("InsufficientInstanceCapacity", "")
            template = template or resolve(self._world, group.settings)
            self.instances.launch(group, template, missing, cause)
            group.failures = 0
        except Refused as refused:
            self._not_launched(group, refused, cause)
        self._known |= {each.id: (group, each) for each in group.instances}

    def _not_launched(self, group: Group, refused: Refused, cause: str) -> None:
        zone = (group.settings.get("AvailabilityZones") or [f"{self._world.region}a"])[0]
        message = f"{refused.message}. Launching EC2 instance failed."
        if refused.code == "InsufficientInstanceCapacity":
            message = causes.no_capacity(resolve(self._world, group.settings), zone)
        activity = group.begin(f"Launching a new EC2 instance.  Status Reason: {message}", cause)
        activity.end("Failed", message)
        timing = self._world.timing
        delay = min(timing.retry * 2 ** min(group.failures, 20), timing.longest_retry)
        group.failures += 1
        group.waits_until = self._world.loop.clock.now() + delay
        self._world.loop.after(delay, self._acts[group])

    def _attached(self, group: Group, target_group: str) -> None:
        if group.target_groups.get(target_group) == "Adding":
            group.target_groups[target_group] = "Added"
            self.wake(group)

    def _detached(self, group: Group, target_group: str) -> None:
        if group.target_groups.get(target_group) == "Removing":
            del group.target_groups[target_group]
            self.wake(group)

    def _settle_target_groups(self, group: Group) -> None:
        """Without ELB health checks it stays Added, as documented."""
        if group.settings.get("HealthCheckType") != "ELB":
            return
        for target_group, state in group.target_groups.items():
            states = [self._targets.state(target_group, each.id) for each in group.staying]
            if state == "Added" and State.HEALTHY in states:
                group.target_groups[target_group] = "InService"
                self.wake(group)

    def _fares_well(self, target: str, port: int) -> bool | None:
        found = self._known.get(target)
        if found is None:
            return None
        instance = found[1]
        return instance.fate is not Fate.UNREADY and instance.health == "Healthy"

    def _target_changed(self, target: str) -> None:
        if found := self._known.get(target):
            self.wake(found[0])
