"""What load balancing refuses of listeners and rules, and moto does not.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_ModifyListener.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_ModifyRule.html
"""

from collections.abc import Iterator

from ..asked import Asked, Json
from ..refusals import Refused
from ..world import World


def check(world: World, asked: Asked) -> None:
    """Raises Refused."""
    given = asked.parameters
    rule, listener = given.get("RuleArn", ""), given.get("ListenerArn", "")
    if rule and _is_default(world, rule):
        raise Refused("OperationNotPermitted", f"Default rule '{rule}' cannot be modified")
    name = (rule or listener or given.get("LoadBalancerArn", "")).rpartition(":")[2]
    balancer = "/".join(name.split("/")[1:4])
    for group in _groups(given.get("Actions") or given.get("DefaultActions") or []):
        _check_group(world, group, balancer)


def _is_default(world: World, rule: str) -> bool:
    found = world.beneath.ask("elbv2", "describe_rules", RuleArns=[rule])
    return any(each["IsDefault"] for each in found["Rules"])


def _groups(actions: list[Json]) -> Iterator[str]:
    for action in actions:
        for each in [action, *action.get("ForwardConfig", {}).get("TargetGroups", [])]:
            if each.get("TargetGroupArn"):
                yield each["TargetGroupArn"]


def _check_group(world: World, group: str, balancer: str) -> None:
    """It has to be there, and not another load balancer's."""
    found = world.beneath.ask("elbv2", "describe_target_groups", TargetGroupArns=[group])
    if not found["TargetGroups"]:
        raise Refused("TargetGroupNotFound", f"Target groups '{group}' not found")
    others = found["TargetGroups"][0].get("LoadBalancerArns", [])
    if any(not each.endswith(f"/{balancer}") for each in others):
        raise Refused(
            "TargetGroupAssociationLimit",
            f"The following target groups cannot be associated with more than one load balancer: "
            f"{group}",
        )
