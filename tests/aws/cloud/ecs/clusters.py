"""Clusters and container instances: moto's own, with the counts of our tasks put in."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..asked import Actions, Asked, Json
from ..refusals import Refused
from ..world import World
from .records import Service, Task


@dataclass(frozen=True)
class Instance:
    """A container instance that tasks can be placed on."""

    arn: str
    host: str
    zone: str
    cpu: int
    memory: int


class Clusters:
    """`services`: all there are; asked each time, for who keeps them needs clusters first."""

    def __init__(self, world: World, services: Callable[[], Iterable[Service]]) -> None:
        self._world = world
        self._services = services
        self._instances: dict[str, list[Instance]] = {}

    def actions(self) -> Actions:
        return {
            "DescribeClusters": self.describe,
            "DeleteCluster": self.delete,
            "DescribeContainerInstances": self.describe_instances,
        }

    def find(self, name: str | None) -> str:
        """Its ARN. Raises Refused."""
        name = name or "default"
        asked = self._world.beneath.ask("ecs", "describe_clusters", clusters=[name])
        if not asked["clusters"] or asked["clusters"][0]["status"] != "ACTIVE":
            raise Refused("ClusterNotFoundException", "Cluster not found.")
        return str(asked["clusters"][0]["clusterArn"])

    def instances(self, cluster: str) -> list[Instance]:
        """Those that take tasks; asked of moto once, until something has changed."""
        if cluster not in self._instances:
            self._instances[cluster] = [_read(each) for each in self._registered(cluster)]
        return self._instances[cluster]

    def look_again(self) -> None:
        self._instances.clear()

    def describe(self, asked: Asked) -> Json:
        answer = self._world.beneath.ask("ecs", "describe_clusters", **asked.parameters)
        for each in answer["clusters"]:
            services = [one for one in self._services() if one.cluster == each["clusterArn"]]
            tasks = [task for one in services for task in one.tasks]
            each["runningTasksCount"] = sum(task.is_running for task in tasks)
            each["pendingTasksCount"] = sum(task.is_pending for task in tasks)
            each["activeServicesCount"] = sum(one.status == "ACTIVE" for one in services)
        return answer

    def delete(self, asked: Asked) -> Json:
        cluster = self.find(asked.parameters["cluster"])
        services = [each for each in self._services() if each.cluster == cluster]
        if any(each.status != "INACTIVE" for each in services):
            raise Refused(
                "ClusterContainsServicesException",
                "The Cluster cannot be deleted while Services are active.",
            )
        if any(not task.is_gone for each in services for task in each.tasks):
            raise Refused(
                "ClusterContainsTasksException",
                "The Cluster cannot be deleted while Tasks are active.",
            )
        return self._world.beneath.ask("ecs", "delete_cluster", cluster=cluster)

    def describe_instances(self, asked: Asked) -> Json:
        answer = self._world.beneath.ask("ecs", "describe_container_instances", **asked.parameters)
        for each in answer["containerInstances"]:
            tasks = self.tasks_on(each["containerInstanceArn"])
            each["runningTasksCount"] = sum(task.is_running for task in tasks)
            each["pendingTasksCount"] = sum(task.is_pending for task in tasks)
            used = {
                "CPU": sum(needed(task.definition, "cpu") for task in tasks),
                "MEMORY": sum(needed(task.definition, "memory") for task in tasks),
            }
            for resource in each["remainingResources"]:
                if resource["name"] in used:
                    resource["integerValue"] -= used[resource["name"]]
        return answer

    def tasks_on(self, instance: str) -> list[Task]:
        return [
            task
            for service in self._services()
            for task in service.tasks
            if task.instance == instance and not task.is_gone
        ]

    def _registered(self, cluster: str) -> list[Json]:
        ask = self._world.beneath.ask
        arns = ask("ecs", "list_container_instances", cluster=cluster)["containerInstanceArns"]
        if not arns:
            return []
        found = ask(
            "ecs", "describe_container_instances", cluster=cluster, containerInstances=arns
        )["containerInstances"]
        return [each for each in found if each["status"] == "ACTIVE"]


def needed(definition: Json, what: str) -> int:
    """How much CPU or memory a task takes of its instance."""
    if definition.get(what):
        return int(definition[what])
    containers = definition["containerDefinitions"]
    reserved = "memoryReservation" if what == "memory" else what
    return sum(int(each.get(reserved) or each.get(what) or 0) for each in containers)


def _read(described: Json) -> Instance:
    amounts = {
        each["name"]: each.get("integerValue", 0) for each in described["registeredResources"]
    }
    zones = [
        each.get("value", "")
        for each in described.get("attributes", [])
        if each["name"] == "ecs.availability-zone"
    ]
    return Instance(
        described["containerInstanceArn"],
        described["ec2InstanceId"],
        zones[0] if zones else "",
        amounts["CPU"],
        amounts["MEMORY"],
    )
