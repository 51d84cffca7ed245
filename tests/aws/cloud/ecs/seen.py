"""ListTasks, DescribeTasks and StopTask: tasks as clients see them."""

from collections.abc import Iterator

from ..asked import Actions, Asked, Json
from ..paging import page
from ..refusals import invalid
from ..world import World
from . import showing
from .records import Task
from .services import Services
from .tasks import Tasks

_MOST = 100


class Seen:
    def __init__(self, world: World, services: Services, tasks: Tasks) -> None:
        self._world = world
        self._services = services
        self._tasks = tasks

    def actions(self) -> Actions:
        return {
            "ListTasks": self.list,
            "DescribeTasks": self.describe,
            "StopTask": self.stop,
        }

    def list(self, asked: Asked) -> Json:
        given = asked.parameters
        cluster = self._services.clusters.find(given.get("cluster"))
        if given.get("serviceName"):
            self._services.existing(cluster, given["serviceName"])
        found = [each.arn for each in self._all(cluster) if _is_wanted(each, given)]
        size = min(int(given.get("maxResults", _MOST)), _MOST)
        listed, following = page(found, size, given.get("nextToken"), invalid("Invalid token"))
        return {"taskArns": listed, "nextToken": following}

    def describe(self, asked: Asked) -> Json:
        given = asked.parameters
        if not given["tasks"]:
            raise invalid("Tasks cannot be empty.")
        if len(given["tasks"]) > _MOST:
            raise invalid(f"Tasks cannot have more than {_MOST} elements.")
        cluster = self._services.clusters.find(given.get("cluster"))
        known = {each.id: each for each in self._all(cluster)}
        names = {each: each.rpartition("/")[2] for each in given["tasks"]}
        return {
            "tasks": [self._shown(known[name]) for name in names.values() if name in known],
            "failures": [
                {"arn": self._arn(cluster, name), "reason": "MISSING"}
                for name in names.values()
                if name not in known
            ],
        }

    def stop(self, asked: Asked) -> Json:
        given = asked.parameters
        cluster = self._services.clusters.find(given.get("cluster"))
        name = given["task"].rpartition("/")[2]
        for each in self._all(cluster):
            if each.id == name:
                reason = given.get("reason", "Task stopped by user")
                self._tasks.stop(each, "UserInitiated", reason)
                return {"task": self._shown(each)}
        raise invalid("The referenced task was not found.")

    def _all(self, cluster: str) -> Iterator[Task]:
        for service in self._services.all():
            if service.cluster == cluster:
                yield from service.tasks

    def _shown(self, task: Task) -> Json:
        return showing.task(task, task.definition, self._world)

    def _arn(self, cluster: str, name: str) -> str:
        return self._world.arn("ecs", f"task/{cluster.rpartition('/')[2]}/{name}")


def _is_wanted(task: Task, given: Json) -> bool:
    service = given.get("serviceName", "").rpartition("/")[2]
    instance = given.get("containerInstance", "").rpartition("/")[2]
    return (
        task.desired_status == given.get("desiredStatus", "RUNNING")
        and service in ("", task.service.name)
        and instance in ("", task.instance.rpartition("/")[2])
        and given.get("family") in (None, task.definition["family"])
        and given.get("startedBy") in (None, task.deployment.id)
        and given.get("launchType") in (None, task.launch_type)
    )
