"""Service discovery: a task that runs is an instance of its service's Cloud Map services.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-discovery.html
"""

from ..asked import Json
from ..refusals import Refused
from ..world import World
from .records import Task


class Registries:
    def __init__(self, world: World) -> None:
        self._world = world

    def add(self, task: Task) -> None:
        for each in _registries(task):
            self._world.beneath.ask(
                "servicediscovery",
                "register_instance",
                ServiceId=_id(each),
                InstanceId=task.id,
                Attributes=self._attributes(task, each),
            )

    def remove(self, task: Task) -> None:
        """What is not there needs no removing."""
        for each in _registries(task):
            try:
                self._world.beneath.ask(
                    "servicediscovery",
                    "deregister_instance",
                    ServiceId=_id(each),
                    InstanceId=task.id,
                )
            except Refused as refused:
                if refused.code not in ("InstanceNotFound", "ServiceNotFound"):
                    raise

    def _attributes(self, task: Task, registry: Json) -> dict[str, str]:
        found = {
            "AWS_INSTANCE_IPV4": task.address,
            "AVAILABILITY_ZONE": task.zone,
            "REGION": self._world.region,
            "ECS_SERVICE_NAME": task.service.name,
            "ECS_CLUSTER_NAME": task.service.cluster_name,
            "ECS_TASK_DEFINITION_FAMILY": task.definition["family"],
        }
        if port := registry.get("containerPort") or registry.get("port"):
            found["AWS_INSTANCE_PORT"] = str(port)
        return found


def _registries(task: Task) -> list[Json]:
    found: list[Json] = task.deployment.revision.settings.get("serviceRegistries", [])
    return found


def _id(registry: Json) -> str:
    return str(registry["registryArn"].rpartition("/")[2])
