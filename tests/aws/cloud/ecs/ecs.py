"""ECS, put together."""

from collections.abc import Callable, Mapping

from ..asked import Actions, Asked
from ..balancing.targets import Targets
from ..world import World
from .definitions import Definitions
from .histories import Histories
from .placement import Placement
from .rollouts import Rollouts
from .scheduler import Scheduler
from .seen import Seen
from .services import Services
from .tagging import Tagging
from .tasks import Tasks

_OF_INSTANCES = (
    "RegisterContainerInstance",
    "DeregisterContainerInstance",
    "UpdateContainerInstancesState",
)


class Ecs:
    def __init__(self, world: World, targets: Targets) -> None:
        definitions = Definitions(world)
        rollouts = Rollouts(world, definitions)
        self.scheduler = Scheduler(world, rollouts)
        self.services = Services(world, definitions, rollouts, self.scheduler)
        self.scheduler.placement = Placement(world, self.services.clusters)
        self.scheduler.tasks = self._tasks = Tasks(world, targets, self.scheduler.told)
        targets.told.append(self._target_changed)
        self.actions: Actions = {
            **definitions.actions(),
            **self.services.actions(),
            **self.services.clusters.actions(),
            **Histories(self.services, rollouts, self.scheduler).actions(),
            **Seen(world, self.services, self._tasks).actions(),
            **Tagging(world, self.services, definitions).actions(),
        }

    def afterwards(self) -> Mapping[tuple[str, str], Callable[[Asked], None]]:
        return {("ecs", each): self._instances_changed for each in _OF_INSTANCES}

    def look_again(self) -> None:
        """Instances have come or gone, or there is capacity again."""
        self.services.clusters.look_again()
        for service in self.services.all():
            service.waits_until = 0.0
            if service.status == "ACTIVE":
                self.scheduler.wake(service)

    def _instances_changed(self, asked: Asked) -> None:
        self.look_again()

    def _target_changed(self, target: str) -> None:
        for task in self._tasks.task_of(target):
            self.scheduler.told(task)
