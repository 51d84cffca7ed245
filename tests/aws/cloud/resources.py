"""What an action is about, as permissions and refusals name it."""

from .asked import Json
from .world import World

_ARNS = ("LoadBalancerArn", "TargetGroupArn", "ListenerArn", "RuleArn", "resourceArn", "RoleArn")


def resources_of(world: World, service: str, action: str, parameters: Json) -> list[str]:
    """ARNs, or "*" where an action has no resource, or the counterpart does not say which."""
    if service == "ecs":
        return _ecs(world, parameters)
    if service == "autoscaling":
        return _group(world, action, parameters)
    if zone := parameters.get("HostedZoneId"):
        return [f"arn:aws:route53:::hostedzone/{zone.rpartition('/')[2]}"]
    found = [parameters[each] for each in _ARNS if each in parameters]
    return found[:1] or ["*"]


def _ecs(world: World, parameters: Json) -> list[str]:
    cluster = str(parameters.get("cluster", "default")).rpartition("/")[2]
    name = parameters.get("service") or parameters.get("serviceName")
    names = parameters.get("services") or ([name] if name else [])
    if not names:
        return [parameters.get("resourceArn", "*")]
    return [
        each if each.startswith("arn:") else world.arn("ecs", f"service/{cluster}/{each}")
        for each in names
    ]


def _group(world: World, action: str, parameters: Json) -> list[str]:
    """Descriptions have no resource; https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2autoscaling.html."""
    name = parameters.get("AutoScalingGroupName")
    if not name or action.startswith("Describe"):
        return ["*"]
    return [world.arn("autoscaling", f"autoScalingGroup:*:autoScalingGroupName/{name}")]
