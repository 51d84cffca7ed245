"""Which target groups listeners and rules send to.

The one place that looks at moto's own objects: it notes a group's load balancers only when a
listener is made, and never when a listener or a rule is changed or goes.
"""

from collections.abc import Iterator
from typing import Any

from moto.elbv2.models import elbv2_backends

from ..world import World


def mend(world: World) -> None:
    """What moto says of every target group's load balancers is true after this."""
    backend = elbv2_backends[world.account][world.region]
    for group in backend.target_groups.values():
        group.load_balancer_arns.clear()
    for balancer in backend.load_balancers.values():
        for arn in sorted(set(_groups_of(balancer))):
            if arn in backend.target_groups:
                backend.target_groups[arn].load_balancer_arns.append(balancer.arn)
    world.beneath.look_again()


def is_used(world: World, group: str) -> bool:
    """A weight of 0 counts too."""
    found = elbv2_backends[world.account][world.region].target_groups.get(group)
    return found is not None and bool(found.load_balancer_arns)


def _groups_of(balancer: Any) -> Iterator[str]:
    for listener in balancer.listeners.values():
        for rule in listener.rules.values():
            for action in rule.actions:
                forward = action.data.get("ForwardConfig", {})
                for each in [action.data, *forward.get("TargetGroups", [])]:
                    if each.get("TargetGroupArn"):
                        yield each["TargetGroupArn"]
