"""Where a task can run: on Fargate anywhere, otherwise where there is room on an instance."""

from collections import Counter
from collections.abc import Iterable

from ..asked import Json
from ..world import World
from .clusters import Clusters, Instance, needed
from .records import Service, Task

_FARGATE = {"FARGATE", "FARGATE_SPOT"}


class NoRoom(Exception):
    """No instance takes the task; the text says why, as events do. Empty: none on Fargate."""


class Placement:
    def __init__(self, world: World, clusters: Clusters) -> None:
        self._world = world
        self._clusters = clusters

    def find(self, service: Service, launch_type: str) -> Instance | None:
        """None on Fargate. Raises NoRoom."""
        if launch_type == "FARGATE":
            if "FARGATE" in self._world.shortages:
                raise NoRoom
            return None
        return self._with_room(service, self._clusters.instances(service.cluster))

    def fits(self, service: Service, instance: Instance) -> bool:
        return not self._obstacle(service, instance)

    def hosts(self, service: Service) -> list[Instance]:
        """Where a daemon has one task each."""
        return self._clusters.instances(service.cluster)

    def _with_room(self, service: Service, instances: Iterable[Instance]) -> Instance:
        """The one with the fewest tasks: by default they are spread."""
        obstacles = {each: self._obstacle(service, each) for each in instances}
        if not obstacles:
            raise NoRoom("Reason: No Container Instances were found in your cluster.")
        free = [each for each, obstacle in obstacles.items() if not obstacle]
        if not free:
            closest, obstacle = next(iter(obstacles.items()))
            name = closest.arn.rpartition("/")[2]
            raise NoRoom(f"The closest matching (container-instance {name}) {obstacle}.")
        return min(free, key=lambda each: len(self._clusters.tasks_on(each.arn)))

    def _obstacle(self, service: Service, instance: Instance) -> str:
        definition = service.primary.revision.definition
        tasks = self._clusters.tasks_on(instance.arn)
        if _used(tasks, "memory") + needed(definition, "memory") > instance.memory:
            return "has insufficient memory available"
        if _used(tasks, "cpu") + needed(definition, "cpu") > instance.cpu:
            return "has insufficient CPU units available"
        if fixed_ports(definition) & {
            port for task in tasks for port in fixed_ports(task.definition)
        }:
            return "is already using a port required by your task"
        return ""


def fixed_ports(definition: Json) -> set[int]:
    """Ports of the host that the task must have; a network interface of its own has all."""
    if definition.get("networkMode") == "awsvpc":
        return set()
    ports = {
        int(mapping["hostPort"])
        for container in definition["containerDefinitions"]
        for mapping in container["portMappings"]
    }
    return ports - {0}


def launch_type(settings: Json, tasks: Iterable[Task]) -> tuple[str, str]:
    """The launch type and the capacity provider of a service's next task.

    The base of a strategy first, then by weight:
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cluster-capacity-providers.html
    """
    strategy = settings.get("capacityProviderStrategy")
    if not strategy:
        return settings["launchType"], ""
    count = Counter(each.capacity_provider for each in tasks)
    based = [each for each in strategy if count[each["capacityProvider"]] < each.get("base", 0)]
    weighted = [each for each in strategy if each.get("weight", 0) > 0]
    chosen = (
        based[0]
        if based
        else min(weighted, key=lambda each: count[each["capacityProvider"]] / each["weight"])
    )
    provider = str(chosen["capacityProvider"])
    return ("FARGATE" if provider in _FARGATE else "EC2"), provider


def _used(tasks: Iterable[Task], what: str) -> int:
    return sum(needed(each.definition, what) for each in tasks)
