"""Which action is done by what; what else happens before and after moto does one."""

from collections.abc import Callable, Mapping
from functools import partial

from . import discovery
from .asked import Actions, Asked
from .balancing import listeners
from .balancing.targets import Targets
from .demand.demand import Demand
from .dns import RecordSets
from .ecs.ecs import Ecs
from .launching import Launching
from .scaling.scaling import Scaling
from .security import Security
from .world import World

_OF_LISTENERS = (
    "CreateListener",
    "ModifyListener",
    "DeleteListener",
    "CreateRule",
    "ModifyRule",
    "DeleteRule",
    "DeleteLoadBalancer",
)
_WITH_ACTIONS = ("CreateListener", "ModifyListener", "CreateRule", "ModifyRule")


def actions(
    world: World,
    security: Security,
    targets: Targets,
    ecs: Ecs,
    scaling: Scaling,
    demand: Demand,
) -> Mapping[str, Actions]:
    return {
        "sts": security.sts(),
        "iam": security.iam(),
        "elbv2": targets.actions(),
        "ecs": ecs.actions,
        "autoscaling": scaling.actions,
        "application-autoscaling": demand.actions,
        "ec2": Launching(world).actions,
        "route53": RecordSets(world).actions,
        "servicediscovery": discovery.actions(world),
    }


def beforehand(world: World) -> Mapping[tuple[str, str], Callable[[Asked], None]]:
    check = partial(listeners.check, world)
    return {("elbv2", each): check for each in _WITH_ACTIONS}


def afterwards(
    targets: Targets, ecs: Ecs, scaling: Scaling
) -> Mapping[tuple[str, str], Callable[[Asked], None]]:
    def look_again(asked: Asked) -> None:
        targets.look_again()

    def forget(asked: Asked) -> None:
        targets.forget(asked.parameters["TargetGroupArn"])

    return {
        **{("elbv2", each): look_again for each in _OF_LISTENERS},
        ("elbv2", "DeleteTargetGroup"): forget,
        **ecs.afterwards(),
        **scaling.afterwards(),
    }
