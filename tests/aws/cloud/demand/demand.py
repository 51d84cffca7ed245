"""Application Auto Scaling, put together."""

from ..asked import Actions
from ..ecs.services import Services
from ..world import World
from .policies import Policies
from .targets import Targets


class Demand:
    def __init__(self, world: World, services: Services) -> None:
        targets = Targets(world, services)
        policies = Policies(world, services, targets)
        self.meet = policies.meet
        self.actions: Actions = {**targets.actions(), **policies.actions()}
