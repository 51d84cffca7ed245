"""EC2 Auto Scaling, put together."""

from collections.abc import Callable, Mapping

from ..asked import Actions, Asked
from ..balancing.targets import Targets
from ..world import World
from .controller import Controller
from .groups import Groups
from .members import Members
from .requests import RefreshRequests


class Scaling:
    def __init__(self, world: World, targets: Targets) -> None:
        self._groups = Groups(world)
        self._controller = Controller(world, targets, self._groups.forget)
        self._groups.controller = self._controller
        self.actions: Actions = {
            **self._groups.actions(),
            **Members(world, self._groups, self._controller).actions(),
            **RefreshRequests(world, self._groups, self._controller).actions(),
        }

    def afterwards(self) -> Mapping[tuple[str, str], Callable[[Asked], None]]:
        return {("ec2", each): self._lost for each in ("TerminateInstances", "StopInstances")}

    def look_again(self) -> None:
        """There is capacity again."""
        for each in self._groups.all():
            each.waits_until = 0.0
            self._controller.wake(each)

    def _lost(self, asked: Asked) -> None:
        self._controller.lost(asked.parameters["InstanceIds"])
