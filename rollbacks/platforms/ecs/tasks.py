"""The tasks of services, and whether they are well: by ECS and by their target groups."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rollbacks.platforms.aws import balancing
from rollbacks.platforms.aws.balancing import Health
from rollbacks.platforms.ecs.calls import ECS, MOST_TASKS, Looks, some
from rollbacks.platforms.ecs.services import Service

_RUNNING = "RUNNING"
_ILL = "UNHEALTHY"


@dataclass(frozen=True)
class Task:
    """`troubles`: why it is not well, by ECS and each target group; empty where it is."""

    own_id: str
    service: str
    definition: str  # ARN
    status: str
    troubles: tuple[str, ...] = field(default=())

    @property
    def is_well(self) -> bool:
        return not self.troubles


def of(looks: Looks, services: Iterable[Service]) -> list[Task]:
    """Those that are to run, of all these services."""
    wanted = list(services)
    described = [(service, each) for service in wanted for each in _listed(looks, service)]
    told = {
        each["taskArn"]: each
        for part in some([arn for _, arn in described], MOST_TASKS)
        for each in looks.api.read(ECS, "describe_tasks", cluster=looks.cluster, tasks=part)[
            "tasks"
        ]
    }
    there = [(service, told[arn]) for service, arn in described if arn in told]
    hosts = _hosts(looks, [each for service, each in there if service.target_groups])
    arns = sorted({arn for service in wanted for arn in service.target_groups})
    health = {arn: balancing.health_by_port(looks, arn) for arn in arns}
    return [_task(service, each, hosts, health) for service, each in there]


def _listed(looks: Looks, service: Service) -> list[str]:
    found = looks.api.pages(
        ECS, "list_tasks", "taskArns", cluster=looks.cluster, serviceName=service.name
    )
    return [str(each) for each in found]


def _hosts(looks: Looks, tasks: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The ids of the EC2 instances that tasks without an address of their own run on."""
    arns = {
        each["containerInstanceArn"]
        for each in tasks
        if each.get("containerInstanceArn") and not _address(each)
    }
    return {
        each["containerInstanceArn"]: each["ec2InstanceId"]
        for part in some(sorted(arns), MOST_TASKS)
        for each in looks.api.read(
            ECS, "describe_container_instances", cluster=looks.cluster, containerInstances=part
        )["containerInstances"]
    }


def _address(task: Mapping[str, Any]) -> str:
    """Of its own network interface; empty without one."""
    for attached in task.get("attachments") or ():
        for each in attached.get("details") or ():
            if each["name"] == "privateIPv4Address":
                return str(each["value"])
    return ""


def _task(
    service: Service,
    told: Mapping[str, Any],
    hosts: Mapping[str, str],
    health: Mapping[str, Mapping[tuple[str, int], Health]],
) -> Task:
    troubles = []
    if told["lastStatus"] != _RUNNING:
        troubles.append(str(told["lastStatus"]))
    elif told.get("healthStatus") == _ILL:
        troubles.append("its container's health check fails")
    else:
        troubles += _of_targets(service, told, hosts, health)
    return Task(
        told["taskArn"].rpartition("/")[2],
        service.name,
        told["taskDefinitionArn"],
        told["lastStatus"],
        tuple(troubles),
    )


def _of_targets(
    service: Service,
    told: Mapping[str, Any],
    hosts: Mapping[str, str],
    health: Mapping[str, Mapping[tuple[str, int], Health]],
) -> Iterable[str]:
    address = _address(told)
    for each in service.described.get("loadBalancers") or ():
        arn = each.get("targetGroupArn")
        if not arn:
            continue
        own_id = address or hosts.get(told.get("containerInstanceArn", ""), "")
        port = each["containerPort"] if address else _host_port(told, each)
        found = health[arn].get((own_id, port))
        if found is None:
            yield f"not in {balancing.short(arn)}"
        elif not found.is_healthy:
            said = f"{found.state}: {found.reason}" if found.reason else found.state
            yield f"{said} in {balancing.short(arn)}"


def _host_port(task: Mapping[str, Any], balancer: Mapping[str, Any]) -> int:
    """Which port of the host leads to the container's; 0 while none does."""
    for container in task.get("containers") or ():
        if container["name"] != balancer["containerName"]:
            continue
        for each in container.get("networkBindings") or ():
            if each["containerPort"] == balancer["containerPort"]:
                return int(each["hostPort"])
    return 0
