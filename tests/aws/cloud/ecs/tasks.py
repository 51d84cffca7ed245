"""The life of a task, step by step, by its images' fate.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html
"""

from collections.abc import Callable
from functools import partial

from ..asked import Json
from ..balancing.targets import State, Targets
from ..world import World, now, token
from .clusters import Instance
from .fates import Fate, fate_of_task, worst_image
from .records import Deployment, Service, Task
from .registries import Registries

_FIRST_DYNAMIC_PORT = 32768
_NO_MORE = {Fate.MISSING, Fate.CRASH}
SCHEDULER = "ServiceSchedulerInitiated"


class Tasks:
    """`told` hears of every change of a task."""

    def __init__(self, world: World, targets: Targets, told: Callable[[Task], None]) -> None:
        self._world = world
        self._targets = targets
        self._told = told
        self._registries = Registries(world)
        self._of_target: dict[tuple[str, int], Task] = {}
        targets.judges.append(self._fares_well)

    def launch(
        self,
        service: Service,
        deployment: Deployment,
        how: tuple[str, str],
        instance: Instance | None,
    ) -> Task:
        name = token()
        task = Task(
            id=name,
            arn=self._world.arn("ecs", f"task/{service.cluster_name}/{name}"),
            service=service,
            deployment=deployment,
            launch_type=how[0],
            capacity_provider=how[1],
            instance=instance.arn if instance else "",
            host=instance.host if instance else "",
            zone=instance.zone if instance and instance.zone else f"{self._world.region}a",
            address=self._address(),
            ports=self._ports(deployment.revision.definition),
        )
        task.times["createdAt"] = now()
        service.tasks.append(task)
        timing = self._world.timing
        if self._has_interface(task):
            self._later(timing.provision, task, self._pull)
        else:
            self._pull(task)
        return task

    def stop(self, task: Task, code: str, reason: str) -> None:
        """Again is harmless."""
        if not task.is_live:
            return
        task.desired_status, task.stop_code, task.stopped_reason = "STOPPED", code, reason
        task.times["stoppingAt"] = now()
        was_running = task.is_running
        task.exit_code = 0 if was_running and task.exit_code is None else task.exit_code
        groups = self.groups(task) if was_running else []
        self._leave(task)
        if groups:
            self._become(task, "DEACTIVATING")
            self._world.loop.after(self._world.timing.draining, partial(self._stopping, task))
        else:
            self._stopping(task)

    def target_of(self, task: Task, balancer: Json) -> tuple[str, str, int]:
        """Group, id and port of a task behind a load balancer of its service."""
        port = task.ports[balancer["containerName"], balancer["containerPort"]]
        is_ip = task.definition.get("networkMode") == "awsvpc"
        return balancer["targetGroupArn"], task.address if is_ip else task.host, port

    def groups(self, task: Task) -> list[str]:
        return [each["targetGroupArn"] for each in _balancers(task)]

    def unhealthy_group(self, task: Task) -> tuple[str, int] | None:
        """A target group that finds it unhealthy, and the port it asks."""
        for each in _balancers(task):
            group, target, port = self.target_of(task, each)
            if self._targets.state(group, target, port) is State.UNHEALTHY:
                return group, port
        return None

    def is_healthy(self, task: Task) -> bool:
        """It runs, and whoever checks its health agrees."""
        if not (task.is_live and task.is_running):
            return False
        if has_health_check(task) and task.health != "HEALTHY":
            return False
        return all(
            self._targets.state(*self.target_of(task, each)) is State.HEALTHY
            for each in _balancers(task)
        )

    def task_of(self, target: str) -> list[Task]:
        """Those that a target of this id belongs to."""
        return [task for (each, _), task in self._of_target.items() if each == target]

    def _pull(self, task: Task) -> None:
        self._become(task, "PENDING")
        task.times["pullStartedAt"] = now()
        is_slow = fate_of_task(task.definition) is Fate.SLOW
        timing = self._world.timing
        self._later(timing.slow if is_slow else timing.pull, task, self._start)

    def _start(self, task: Task) -> None:
        fate = fate_of_task(task.definition)
        if fate in _NO_MORE:
            self._fail(task, fate)
            return
        task.times["pullStoppedAt"] = task.times["startedAt"] = now()
        task.health = "UNKNOWN"
        self._become(task, "RUNNING")
        for each in _balancers(task):
            group, target, port = self.target_of(task, each)
            self._of_target[target, port] = task
            self._targets.register(group, target, port)
        self._registries.add(task)
        if fate is Fate.EXITS:
            self._later(self._world.timing.live, task, self._exit)
        if has_health_check(task):
            self._later(self._world.timing.health, task, self._checked)

    def _checked(self, task: Task) -> None:
        is_well = fate_of_task(task.definition) is not Fate.UNREADY
        task.health = "HEALTHY" if is_well else "UNHEALTHY"
        self._become(task, task.last_status)

    def _fail(self, task: Task, fate: Fate) -> None:
        task.has_failed = True
        task.times["pullStoppedAt"] = now()
        if fate is Fate.CRASH:
            self._exit(task)
            return
        image = worst_image(task.definition)
        task.container_reason = (
            "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to "
            f"resolve ref {image}: {image}: not found"
        )
        self.stop(task, "TaskFailedToStart", task.container_reason)

    def _exit(self, task: Task) -> None:
        task.exit_code = 1
        self.stop(task, "EssentialContainerExited", "Essential container in task exited")

    def _leave(self, task: Task) -> None:
        for each in _balancers(task):
            group, target, port = self.target_of(task, each)
            if self._of_target.get((target, port)) is task:
                self._targets.deregister(group, target, port)
        self._registries.remove(task)

    def _stopping(self, task: Task) -> None:
        self._become(task, "STOPPING")
        self._world.loop.after(self._world.timing.stop, partial(self._deprovision, task))

    def _deprovision(self, task: Task) -> None:
        task.times["executionStoppedAt"] = now()
        if self._has_interface(task):
            self._become(task, "DEPROVISIONING")
            self._world.loop.after(self._world.timing.stop, partial(self._gone, task))
        else:
            self._gone(task)

    def _gone(self, task: Task) -> None:
        task.times["stoppedAt"] = now()
        for each in [key for key, known in self._of_target.items() if known is task]:
            del self._of_target[each]
        self._become(task, "STOPPED")

    def _become(self, task: Task, status: str) -> None:
        task.last_status = status
        task.version += 1
        self._told(task)

    def _later(self, seconds: float, task: Task, act: Callable[[Task], None]) -> None:
        """Unless it has been told to stop by then."""

        def unless_stopped() -> None:
            if task.is_live:
                act(task)

        self._world.loop.after(seconds, unless_stopped)

    def _has_interface(self, task: Task) -> bool:
        return bool(task.definition.get("networkMode") == "awsvpc")

    def _fares_well(self, target: str, port: int) -> bool | None:
        task = self._of_target.get((target, port))
        if task is None:
            return None
        return task.is_running and fate_of_task(task.definition) is not Fate.UNREADY

    def _address(self) -> str:
        number = self._world.number()
        return f"10.0.{number // 250 % 250}.{number % 250 + 4}"

    def _ports(self, definition: Json) -> dict[tuple[str, int], int]:
        return {
            (container["name"], mapping["containerPort"]): int(mapping["hostPort"])
            or _FIRST_DYNAMIC_PORT + self._world.number()
            for container in definition["containerDefinitions"]
            for mapping in container["portMappings"]
        }


def has_health_check(task: Task) -> bool:
    containers = task.definition["containerDefinitions"]
    return any(each.get("healthCheck") for each in containers)


def _balancers(task: Task) -> list[Json]:
    """Of the revision it belongs to, not of what the service has become since."""
    found = task.deployment.revision.settings.get("loadBalancers", [])
    return [each for each in found if each.get("targetGroupArn")]
