"""A service of the fake cloud, and what a test looks at in it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .cloud import Balancer, FakeCloud
from .waiting import until

Json = dict[str, Any]
BREAKER = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}


@dataclass(frozen=True)
class Service:
    """On Fargate, of one container `web`, rolled out when a test gets it."""

    cloud: FakeCloud
    cluster: str
    name: str
    family: str

    @property
    def ecs(self) -> Any:
        return self.cloud.client("ecs")

    def look(self) -> Json:
        found = self.ecs.describe_services(cluster=self.cluster, services=[self.name])
        service: Json = found["services"][0]
        return service

    def update(self, **changes: Any) -> Json:
        answer = self.ecs.update_service(cluster=self.cluster, service=self.name, **changes)
        service: Json = answer["service"]
        return service

    def deploy(self, tag: str, container: Json | None = None, **changes: Any) -> str:
        """The ARN of the task definition that is deployed from now on."""
        arn = self.cloud.task_definition(self.family, tag, container=container or {})
        self.update(taskDefinition=arn, **changes)
        return arn

    def rolled_out(self) -> Json:
        """What it looks like when there is one deployment, and it is completed and steady."""
        return until(lambda: found if is_rolled_out(found := self.look()) else {})

    def when(self, is_so: Callable[[Json], object]) -> Json:
        return until(lambda: found if is_so(found := self.look()) else {})

    def tasks(self, status: str = "RUNNING") -> list[Json]:
        arns = self.ecs.list_tasks(
            cluster=self.cluster, serviceName=self.name, desiredStatus=status
        )["taskArns"]
        if not arns:
            return []
        found: list[Json] = self.ecs.describe_tasks(cluster=self.cluster, tasks=arns)["tasks"]
        return found

    def said(self) -> list[str]:
        """Its events, oldest first, without its name."""
        events = reversed(self.look()["events"])
        return [each["message"].removeprefix(f"(service {self.name}) ") for each in events]

    def histories(self) -> list[Json]:
        """Its service deployments, newest first."""
        listed = self.ecs.list_service_deployments(cluster=self.cluster, service=self.name)
        arns = [each["serviceDeploymentArn"] for each in listed["serviceDeployments"]]
        found = self.ecs.describe_service_deployments(serviceDeploymentArns=arns)
        by_arn = {each["serviceDeploymentArn"]: each for each in found["serviceDeployments"]}
        return [by_arn[each] for each in arns]


def is_rolled_out(service: Json) -> bool:
    deployments = service["deployments"]
    return (
        len(deployments) == 1
        and deployments[0]["rolloutState"] == "COMPLETED"
        and service["runningCount"] == service["desiredCount"]
    )


def primary(service: Json) -> Json:
    """Its PRIMARY deployment."""
    (found,) = (each for each in service["deployments"] if each["status"] == "PRIMARY")
    return dict(found)


def active(service: Json) -> list[Json]:
    return [each for each in service["deployments"] if each["status"] == "ACTIVE"]


def service_of(cloud: FakeCloud, cluster: str = "", tag: str = "1", **settings: Any) -> Service:
    cluster = cluster or cloud.cluster()
    family = cloud.name("shop")
    definition = cloud.task_definition(family, tag)
    return Service(cloud, cluster, cloud.service(cluster, definition, **settings), family)


def behind(balancer: Balancer, group: int = 0) -> list[Json]:
    """A service's loadBalancers."""
    target_group = balancer.groups[group]
    return [{"targetGroupArn": target_group, "containerName": "web", "containerPort": 80}]


def health(cloud: FakeCloud, group: str) -> list[str]:
    """The states of a target group's targets, in order."""
    found = cloud.client("elbv2").describe_target_health(TargetGroupArn=group)
    return sorted(each["TargetHealth"]["State"] for each in found["TargetHealthDescriptions"])
