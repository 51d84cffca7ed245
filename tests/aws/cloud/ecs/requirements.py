"""What ECS refuses of a service that is to be made or changed, in its own words.

The messages are as real accounts showed them; AWS publishes the codes, not the texts.
"""

from ..asked import Json
from ..balancing.routes import is_used
from ..refusals import Refused, client_error, invalid, not_modelled
from ..world import World

_STRATEGIES = {"ROLLING"}


def check(world: World, settings: Json, definition: Json) -> None:
    if definition["status"] != "ACTIVE":
        raise client_error("TaskDefinition is inactive")
    _check_modelled(settings)
    _check_scheduling(settings)
    _check_network(settings, definition)
    for each in settings.get("loadBalancers", []):
        _check_balancer(world, each, definition)
    for each in settings.get("serviceRegistries", []):
        _check_registry(world, each)


def check_counts(settings: Json) -> None:
    """minimumHealthyPercent and maximumPercent have to leave room to move."""
    counts = settings["deploymentConfiguration"]
    if counts["maximumPercent"] <= counts["minimumHealthyPercent"] and not (
        counts["maximumPercent"] == counts["minimumHealthyPercent"] == 100
    ):
        raise invalid("MaximumPercent must be greater than MinimumHealthyPercent.")


def _check_modelled(settings: Json) -> None:
    configuration = settings["deploymentConfiguration"]
    if configuration.get("strategy", "ROLLING") not in _STRATEGIES:
        raise not_modelled(f"the deployment strategy {configuration['strategy']}")
    if configuration.get("alarms", {}).get("enable"):
        raise not_modelled("alarms of deployments")
    kind = settings.get("deploymentController", {}).get("type", "ECS")
    if kind != "ECS":
        raise not_modelled(f"the deployment controller {kind}")
    if any(each.get("loadBalancerName") for each in settings.get("loadBalancers", [])):
        raise not_modelled("Classic Load Balancers")


def _check_scheduling(settings: Json) -> None:
    if settings["schedulingStrategy"] != "DAEMON":
        return
    if settings.get("launchType") == "FARGATE":
        raise invalid(
            "The daemon scheduling strategy is not supported for the FARGATE launch type."
        )
    if settings.get("capacityProviderStrategy"):
        raise invalid("The daemon scheduling strategy does not support capacity providers.")


def _check_network(settings: Json, definition: Json) -> None:
    is_awsvpc = definition.get("networkMode") == "awsvpc"
    network = settings.get("networkConfiguration", {}).get("awsvpcConfiguration")
    if is_awsvpc and not network:
        raise invalid(
            "Network Configuration must be provided when networkMode 'awsvpc' is specified."
        )
    if network and not is_awsvpc:
        raise invalid(
            "Network Configuration is not valid for the given networkMode of this task definition."
        )
    if network and not network.get("subnets"):
        raise invalid("subnets can not be empty.")
    if settings.get("launchType") == "FARGATE":
        _check_fargate(definition)
    if network and network.get("assignPublicIp") == "ENABLED" and _is_ec2(settings):
        raise invalid("Assign public IP is not supported for this launch type.")


def _check_fargate(definition: Json) -> None:
    if "FARGATE" not in definition["compatibilities"]:
        raise invalid("Task definition does not support launch_type FARGATE.")


def _is_ec2(settings: Json) -> bool:
    return bool(settings.get("launchType") == "EC2")


def _check_registry(world: World, registry: Json) -> None:
    arn = registry["registryArn"]
    try:
        world.beneath.ask("servicediscovery", "get_service", Id=arn.rpartition("/")[2])
    except Refused as refused:
        raise invalid(f"Could not find the service registry {arn}.") from refused


def _check_balancer(world: World, balancer: Json, definition: Json) -> None:
    containers = {each["name"]: each for each in definition["containerDefinitions"]}
    name, port = balancer.get("containerName"), balancer.get("containerPort")
    if name not in containers:
        raise invalid(f"The container {name} does not exist in the task definition.")
    ports = {each["containerPort"] for each in containers[name]["portMappings"]}
    if port not in ports:
        raise invalid(f"The container {name} did not have a container port {port} defined.")
    group = balancer["targetGroupArn"]
    try:
        asked = world.beneath.ask("elbv2", "describe_target_groups", TargetGroupArns=[group])
    except Refused as refused:
        raise invalid(f"Unable to retrieve target group {group}.") from refused
    if not is_used(world, group):
        raise invalid(
            f"The target group with targetGroupArn {group} does not have an associated load "
            "balancer."
        )
    kind = asked["TargetGroups"][0].get("TargetType", "instance")
    mode = definition.get("networkMode", "bridge")
    if (kind == "ip") is not (mode == "awsvpc"):
        raise invalid(
            f"The provided target group {group} has target type {kind}, which is incompatible "
            f"with the {mode} network mode specified in the task definition."
        )
