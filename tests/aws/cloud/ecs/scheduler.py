"""What a service needs now: tasks to start, to stop, to replace; looked at after every change.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_services.html
"""

import math
from collections.abc import Sequence
from functools import partial

from ..loop import Act
from ..world import World, now
from . import events
from .breaker import threshold
from .clusters import Instance
from .placement import NoRoom, Placement, launch_type
from .records import Deployment, Rollout, Service, Task
from .rollouts import Rollouts, breaker
from .tasks import SCHEDULER, Tasks, has_health_check

_STARTS_LOOK_INCONSISTENT = 4
_OVER = {"STOPPING", "DEPROVISIONING", "STOPPED"}
_KEPT = 200  # stopped tasks; the real one keeps them for an hour or so


class Scheduler:
    """`tasks` and `placement` are set by whoever makes them: both need what needs the scheduler."""

    tasks: Tasks
    placement: Placement

    def __init__(self, world: World, rollouts: Rollouts) -> None:
        self._world = world
        self._rollouts = rollouts
        self._acts: dict[Service, Act] = {}

    def wake(self, service: Service) -> None:
        self._world.loop.soon(self._act(service))

    def told(self, task: Task) -> None:
        self.wake(task.service)

    def look(self, service: Service) -> None:
        if service.status == "INACTIVE":
            return
        if service.status == "DRAINING":
            self._drain(service)
            return
        self._stop_unhealthy(service)
        self._count(service)
        if service.is_daemon:
            self._spread(service)
        else:
            self._scale(service)
        self._settle(service)

    def _drain(self, service: Service) -> None:
        reason = f"Scaling activity initiated by (deployment {service.primary.id})"
        self._stop(service, service.live(), reason)
        if all(each.last_status in _OVER for each in service.tasks):
            service.status = "INACTIVE"
            service.deployments.clear()
            self._acts.pop(service, None)

    def _stop_unhealthy(self, service: Service) -> None:
        for task in service.live():
            if not task.is_running or self._in_grace(service, task):
                continue
            if found := self.tasks.unhealthy_group(task):
                group, port = found
                events.unhealthy_target(service, task, port, group)
                self._replace(
                    service, task, f"Task failed ELB health checks in (target-group {group})"
                )
            elif has_health_check(task) and task.health == "UNHEALTHY":
                events.unhealthy_container(service, task)
                self._replace(service, task, "Task failed container health checks")

    def _in_grace(self, service: Service, task: Task) -> bool:
        grace = service.settings.get("healthCheckGracePeriodSeconds") or 0
        left = grace - (now() - task.times["startedAt"]).total_seconds()
        if left > 0 and not self.tasks.is_healthy(task):
            self._world.loop.after(left, self._act(service))
        return left > 0

    def _replace(self, service: Service, task: Task, reason: str) -> None:
        task.has_failed = True
        service.replacing += 1
        self._stop(service, [task], reason)

    def _count(self, service: Service) -> None:
        """Failures and successes of starting tasks; the circuit breaker may act on them."""
        for task in service.tasks:
            if task.has_failed and not task.is_counted:
                task.is_counted = True
                self._failed(service, task.deployment)
            elif not task.was_healthy and self.tasks.is_healthy(task):
                task.was_healthy = True
                service.failures = 0
                if breaker(service).get("resetOnHealthyTask", True):
                    task.deployment.failed = 0

    def _failed(self, service: Service, deployment: Deployment) -> None:
        timing = self._world.timing
        service.failures += 1
        delay = min(timing.retry * 2 ** min(service.failures - 1, 20), timing.longest_retry)
        service.waits_until = self._world.loop.clock.now() + delay
        self._world.loop.after(delay, self._act(service))
        if service.failures == _STARTS_LOOK_INCONSISTENT:
            events.inconsistent(service)
        if deployment is not service.primary or deployment.rollout is not Rollout.IN_PROGRESS:
            return
        deployment.failed += 1
        deployment.history.failures = deployment.failed
        settings = breaker(service)
        if settings.get("enable") and deployment.failed >= threshold(settings, service.desired):
            self._rollouts.break_off(service)

    def _scale(self, service: Service) -> None:
        """REPLICA: between minimumHealthyPercent and maximumPercent of what is desired."""
        lower, upper = bounds(service)
        new = [each for each in service.live() if each.deployment is service.primary]
        self._stop(service, self._surplus(service, new), _scaling(service))
        if service.primary.rollout is Rollout.FAILED:
            return
        self._stop(service, self._replaceable(service, lower), _scaling(service))
        live = service.live()
        missing = service.desired - sum(each.deployment is service.primary for each in live)
        room = upper - len(live)
        if missing > 0 and room <= 0:
            self._say_stuck(service, live)
        self._start(service, min(missing, room))

    def _surplus(self, service: Service, new: Sequence[Task]) -> list[Task]:
        """Those that are not healthy first, then the newest."""
        ordered = sorted(new, key=self.tasks.is_healthy, reverse=True)
        return ordered[service.desired :]

    def _replaceable(self, service: Service, lower: int) -> list[Task]:
        """Tasks of earlier deployments that can go now."""
        healthy = [each for each in service.live() if self.tasks.is_healthy(each)]
        old = [each for each in service.live() if each.deployment is not service.primary]
        poor = [each for each in old if each not in healthy]
        good = [each for each in old if each in healthy]
        return poor + good[: max(len(healthy) - lower, 0)]

    def _say_stuck(self, service: Service, live: Sequence[Task]) -> None:
        is_moving = any(not each.is_live and not each.is_gone for each in service.tasks)
        waits = any(not self.tasks.is_healthy(each) for each in live)
        if not service.is_stuck and not is_moving and not waits:
            service.is_stuck = True
            events.stuck(service)

    def _spread(self, service: Service) -> None:
        """DAEMON: one task on each instance that takes tasks."""
        hosts = self.placement.hosts(service)
        service.desired = len(hosts)
        names = {each.arn for each in hosts}
        gone = [each for each in service.live() if each.instance not in names]
        self._stop(service, gone, _scaling(service))
        if service.primary.rollout is Rollout.FAILED:
            return
        lower, upper = bounds(service)
        self._stop(service, self._replaceable(service, lower), _scaling(service))
        room = upper - len(service.live())
        with_new = {each.instance for each in service.live() if each.deployment is service.primary}
        free = [each for each in hosts if each.arn not in with_new]
        if upper <= len(hosts):  # one task an instance: the old one must have gone
            taken = {each.instance for each in service.tasks if not each.is_gone}
            free = [each for each in free if each.arn not in taken]
        free = [each for each in free if self.placement.fits(service, each)]
        if not self._must_wait(service):
            self._launch(service, list(free[: max(room, 0)]))

    def _start(self, service: Service, count: int) -> None:
        if count <= 0 or self._must_wait(service):
            return
        begun: list[Task] = []
        for _ in range(count):
            how = launch_type(service.settings, service.live())
            try:
                instance = self.placement.find(service, how[0])
            except NoRoom as error:
                self._no_room(service, str(error))
                break
            begun.append(self.tasks.launch(service, service.primary, how, instance))
        self._begun(service, begun)

    def _launch(self, service: Service, hosts: Sequence[Instance]) -> None:
        how = launch_type(service.settings, ())
        self._begun(
            service,
            [self.tasks.launch(service, service.primary, how, each) for each in hosts],
        )

    def _begun(self, service: Service, begun: list[Task]) -> None:
        if begun:
            for each in begun[: service.replacing]:
                each.is_replacement = True
            service.replacing = max(service.replacing - len(begun), 0)
            events.started(service, begun)

    def _no_room(self, service: Service, why: str) -> None:
        if why:
            events.unplaced(service, why)
        else:
            events.no_capacity(service)
        self._failed(service, service.primary)

    def _must_wait(self, service: Service) -> bool:
        return service.waits_until > self._world.loop.clock.now()

    def _stop(self, service: Service, tasks: Sequence[Task], reason: str) -> None:
        if not tasks:
            return
        groups = {group for each in tasks if each.is_running for group in self.tasks.groups(each)}
        for each in tasks:
            self.tasks.stop(each, SCHEDULER, reason)
        if groups:
            events.draining(service, tasks, sorted(groups))
        events.stopped(service, tasks)

    def _settle(self, service: Service) -> None:
        primary = service.primary
        primary.desired = service.desired
        for each in service.deployments[1:]:
            each.desired = sum(task.is_live for task in service.of(each))
        service.deployments[1:] = [
            each
            for each in service.deployments[1:]
            if any(not task.is_gone for task in service.of(each))
        ]
        is_there = self._is_there(service)
        if is_there and primary.rollout is Rollout.IN_PROGRESS:
            self._rollouts.complete(service)
        if is_there and not service.is_steady and primary.rollout is Rollout.COMPLETED:
            events.steady(service)
        service.is_steady = is_there
        gone = [task for task in service.tasks if task.is_gone]
        for task in gone[:-_KEPT]:
            service.tasks.remove(task)

    def _is_there(self, service: Service) -> bool:
        """As many healthy tasks as are desired, all of the PRIMARY; none of another is left."""
        live = service.live()
        return (
            len(service.deployments) == 1
            and len(live) == service.desired
            and all(self.tasks.is_healthy(each) for each in live)
        )

    def _act(self, service: Service) -> Act:
        return self._acts.setdefault(service, partial(self.look, service))


def bounds(service: Service) -> tuple[int, int]:
    """How many tasks must be healthy, and how many there may be."""
    settings = service.settings["deploymentConfiguration"]
    lower = math.ceil(service.desired * settings["minimumHealthyPercent"] / 100)
    return lower, math.floor(service.desired * settings["maximumPercent"] / 100)


def _scaling(service: Service) -> str:
    return f"Scaling activity initiated by (deployment {service.primary.id})"
