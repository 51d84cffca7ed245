"""A service on ECS, with a cluster, a load balancer and a hosted zone of its own."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.models import Deployment
from rollbacks.platforms.ecs import Ecs
from tests.aws.cloud import Balancer, FakeCloud, Statement, scenery
from tests.aws.scene import BREAKER, behind
from tests.aws.target import credential_of, written
from tests.aws.waiting import until
from tests.scene import Scene, scene

Json = dict[str, Any]
# As docs/platforms/ecs.md says that it is enough.
LEAST = [
    *(
        f"application-autoscaling:{each}"
        for each in (
            "DeleteScalingPolicy",
            "DeregisterScalableTarget",
            "DescribeScalableTargets",
            "DescribeScalingPolicies",
            "PutScalingPolicy",
            "RegisterScalableTarget",
        )
    ),
    "ec2:DescribeSubnets",
    *(
        f"ecs:{each}"
        for each in (
            "CreateService",
            "DeleteService",
            "DescribeClusters",
            "DescribeContainerInstances",
            "DescribeServices",
            "DescribeTaskDefinition",
            "DescribeTasks",
            "ListServiceDeployments",
            "ListServices",
            "ListTaskDefinitions",
            "ListTasks",
            "RegisterTaskDefinition",
            "TagResource",
            "UntagResource",
            "UpdateService",
        )
    ),
    *(
        f"elasticloadbalancing:{each}"
        for each in (
            "DescribeListeners",
            "DescribeRules",
            "DescribeTargetGroups",
            "DescribeTargetHealth",
            "ModifyListener",
            "ModifyRule",
        )
    ),
    "iam:PassRole",
    "iam:SimulatePrincipalPolicy",
    "route53:ChangeResourceRecordSets",
    "route53:GetChange",
    "route53:ListResourceRecordSets",
    "servicediscovery:GetNamespace",
    "servicediscovery:GetService",
]
IMAGE = "registry.example/shop/web"
SECRET = "not-for-captures"
BEFORE = "1.0.0"  # what the services run that Lastgood did not deploy
# What ECS counts or names anew, whatever we do.
_ITS_OWN = (
    "createdAt",
    "createdBy",
    "currentServiceDeployment",
    "currentServiceRevisions",
    "deployments",
    "events",
)
IN_SERIES = ("CANARY", "BLUE_GREEN")
CPU = {
    "TargetValue": 60.0,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
}


@dataclass
class Shop:
    """`base`: the service that is updated in place, or the model of a series."""

    cloud: FakeCloud
    cluster: str
    base: str
    family: str
    key: str
    balancer: Balancer | None
    zone: str
    record: str
    scene: Scene

    @property
    def ecs(self) -> Any:
        return self.cloud.client("ecs")

    def may_only(self, statements: Sequence[Statement]) -> None:
        """From now on the connector has the keys of somebody who may do just that."""
        connector = self.scene.infrastructure.connector
        os.environ[connector.credential.partition(":")[2]] = written(self.cloud.user(statements))

    def publish(self, version: str) -> None:
        """Its image has the version for a tag, which says how its tasks fare."""
        artifact = self.scene.artifact(version)
        artifact.location = f"{IMAGE}:{version}"
        artifact.save()

    def start(self, version: str) -> Deployment:
        self.publish(version)
        return self.scene.start(version)

    def deploy(self, version: str) -> Deployment:
        self.publish(version)
        return self.scene.deploy(version)

    def services(self) -> dict[str, Json]:
        """All that are there, by name, without what is before the number in a series."""
        arns = self.ecs.list_services(cluster=self.cluster, maxResults=100)["serviceArns"]
        found = [
            each
            for first in range(0, len(arns), 10)
            for each in self.ecs.describe_services(
                cluster=self.cluster, services=arns[first : first + 10], include=["TAGS"]
            )["services"]
        ]
        return {each["serviceName"].removeprefix(f"{self.key}__"): each for each in found}

    def look(self, name: str = "") -> Json:
        return self.services()[name or self.base]

    def counts(self) -> dict[str, int]:
        """Of the series, by number."""
        return {
            name: each["desiredCount"]
            for name, each in self.services().items()
            if name != self.base
        }

    def images(self, name: str = "") -> list[str]:
        """Of the tasks that run."""
        full = f"{self.key}__{name}" if name else self.base
        arns = self.ecs.list_tasks(cluster=self.cluster, serviceName=full)["taskArns"]
        if not arns:
            return []
        found = self.ecs.describe_tasks(cluster=self.cluster, tasks=arns)["tasks"]
        return sorted(each["containers"][0]["image"].rpartition(":")[2] for each in found)

    def update(self, name: str = "", **changes: Any) -> None:
        """As somebody else would."""
        full = f"{self.key}__{name}" if name else self.base
        self.ecs.update_service(cluster=self.cluster, service=full, **changes)

    def settle(self) -> None:
        """Until every service has the tasks that it wants."""
        until(
            lambda: all(
                len(each["deployments"]) == 1 and each["runningCount"] == each["desiredCount"]
                for each in self.services().values()
            )
        )

    def colors(self) -> dict[str, str]:
        return {
            name: tags["BG_VERSION"]
            for name, each in self.services().items()
            if "BG_VERSION" in (tags := {tag["key"]: tag["value"] for tag in each["tags"]})
        }

    def scale(self, name: str, minimum: int, maximum: int) -> None:
        """As somebody else would."""
        client = self.cloud.client("application-autoscaling")
        which = self._scalable(name)
        client.register_scalable_target(**which, MinCapacity=minimum, MaxCapacity=maximum)
        client.put_scaling_policy(
            **which,
            PolicyName="cpu",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration=CPU,
        )

    def scaling(self, name: str = "") -> Json | None:
        client, which = self.cloud.client("application-autoscaling"), self._scalable(name)
        targets = client.describe_scalable_targets(
            ServiceNamespace="ecs", ResourceIds=[which["ResourceId"]]
        )["ScalableTargets"]
        if not targets:
            return None
        policies = client.describe_scaling_policies(**which)["ScalingPolicies"]
        drop = ("CreationTime",)
        return {
            **{key: targets[0][key] for key in targets[0] if key not in drop},
            "policies": [{key: each[key] for key in each if key not in drop} for each in policies],
        }

    def _scalable(self, name: str) -> dict[str, str]:
        full = f"{self.key}__{name}" if name else self.base
        return {
            "ServiceNamespace": "ecs",
            "ResourceId": f"service/{self.cluster}/{full}",
            "ScalableDimension": "ecs:service:DesiredCount",
        }

    def listeners(self) -> list[str]:
        """The target groups of production and test."""
        if self.balancer is None:
            return []
        arns = [self.balancer.listener, self.balancer.test_listener]
        found = self.cloud.client("elbv2").describe_listeners(ListenerArns=arns)["Listeners"]
        by_arn = {each["ListenerArn"]: each for each in found}
        return [by_arn[arn]["DefaultActions"][0]["TargetGroupArn"] for arn in arns]

    def records(self) -> dict[str, int]:
        found = self.cloud.client("route53").list_resource_record_sets(HostedZoneId=self.zone)
        return {
            each["SetIdentifier"]: each["Weight"]
            for each in found["ResourceRecordSets"]
            if each["Name"] == f"{self.record}."
        }

    def healthy(self, group: str) -> int:
        found = self.cloud.client("elbv2").describe_target_health(TargetGroupArn=group)
        states = [each["TargetHealth"]["State"] for each in found["TargetHealthDescriptions"]]
        return states.count("healthy")

    def everything(self) -> Json:
        """All that can be described of what has tasks, and of who is sent there; but for what ECS
        counts or names anew."""
        services = {
            name: {
                **{key: each[key] for key in each if key not in _ITS_OWN},
                "images": self.images("" if name == self.base else name),
                "scaling": self.scaling("" if name == self.base else name),
            }
            for name, each in self.services().items()
            if each["desiredCount"] or name == self.base
        }
        return {"services": services, "listeners": self.listeners(), "records": self.records()}


def shop_in(
    cloud: FakeCloud,
    *,
    workflow_type: str = "BASIC",
    launch_type: str = "FARGATE",
    in_series: bool | None = None,
    by_dns: bool = False,
    balanced: bool = True,
    desired: int = 2,
    instances: int = 4,
    timeout: float = 300,
    phases: Sequence[Mapping[str, Any]] | None = None,
    actions: Sequence[str] = LEAST,
    breaker: bool = False,
    settings: Mapping[str, Any] | None = None,
    more_services: int = 0,
    **definition: Any,
) -> Shop:
    """A workflow of that type with its default phases, unless others are given.

    In place: a service of `desired` tasks. In a series: a base service without any.
    """
    in_series = workflow_type in IN_SERIES if in_series is None else in_series
    is_fargate = launch_type == "FARGATE"
    cluster = cloud.cluster(0 if is_fargate else instances)
    kind = "ip" if is_fargate else "instance"
    balancer = cloud.load_balancer(kind) if balanced and not by_dns else None
    family = cloud.name("shop")
    registries = _registries(cloud) if by_dns else []
    base = _service(
        cloud,
        cluster,
        family,
        is_fargate,
        balancer,
        registries,
        breaker,
        0 if in_series else desired,
    )
    more = [
        cloud.service(cluster, family, launchType="FARGATE", networkConfiguration=_network(cloud))
        for _ in range(more_services)
    ]
    key = cloud.name("shop-web")
    zone, record = _zone(cloud)
    infrastructure: Json = {"cluster": cluster, "launch_type": launch_type}
    if in_series:
        infrastructure |= {"base_service": base, "service_name": key}
    else:
        infrastructure |= {"services": [base, *more]}
    if workflow_type == "BLUE_GREEN" and balancer:
        infrastructure["listeners"] = {
            "production": balancer.listener,
            "test": balancer.test_listener,
        }
    if by_dns:
        infrastructure["route53"] = {
            "zone": zone,
            "record": record,
            "registries": registries,
            "ttl": 0,
        }
    made = scene(
        workflow_type=workflow_type,
        deployment_type="ECS",
        artifact_type="DOCKER_IMAGE",
        credential=f"env:{credential_of(cloud, actions)}",
        connector={"region": cloud.region, "endpoint": cloud.endpoint},
        settings=infrastructure,
        definition={
            "settings": dict(settings or {}),
            "phases": timed(phases or Ecs().default_phases(workflow_type), timeout),
            **definition,
        },
    )
    made.infrastructure.name = key  # the services of another test are another series
    made.infrastructure.save()
    shop = Shop(
        cloud, cluster, base, family, key if in_series else base, balancer, zone, record, made
    )
    shop.settle()
    return shop


def _service(
    cloud: FakeCloud,
    cluster: str,
    family: str,
    is_fargate: bool,
    balancer: Balancer | None,
    registries: Sequence[str],
    breaker: bool,
    count: int,
) -> str:
    container = {"environment": [{"name": "PASSWORD", "value": SECRET}]}
    more: Json = (
        {}
        if is_fargate
        else {
            "networkMode": "bridge",
            "requiresCompatibilities": ["EC2"],
            "cpu": "256",
        }
    )
    definition = cloud.task_definition(family, BEFORE, container=container, **more)
    network = {"networkConfiguration": _network(cloud)}
    return cloud.service(
        cluster,
        definition,
        desiredCount=count,
        launchType="FARGATE" if is_fargate else "EC2",
        **(network if is_fargate else {}),
        **({"loadBalancers": behind(balancer)} if balancer else {}),
        **({"serviceRegistries": [{"registryArn": registries[0]}]} if registries else {}),
        **({"deploymentConfiguration": BREAKER} if breaker else {}),
    )


def _network(cloud: FakeCloud) -> Json:
    _, subnets = scenery.network(cloud)
    return {"awsvpcConfiguration": {"subnets": subnets}}


def _registries(cloud: FakeCloud) -> list[str]:
    """The ARNs of two Cloud Map services."""
    client, name = cloud.client("servicediscovery"), cloud.name("namespace")
    made = client.create_private_dns_namespace(Name=f"{name}.local", Vpc=name)
    targets = client.get_operation(OperationId=made["OperationId"])["Operation"]["Targets"]
    return [
        client.create_service(
            Name=color,
            NamespaceId=targets["NAMESPACE"],
            DnsConfig={"DnsRecords": [{"Type": "A", "TTL": 10}]},
            HealthCheckCustomConfig={"FailureThreshold": 1},
        )["Service"]["Arn"]
        for color in ("blue", "green")
    ]


def _zone(cloud: FakeCloud) -> tuple[str, str]:
    name = f"{cloud.name('zone')}.example"
    made = cloud.client("route53").create_hosted_zone(Name=name, CallerReference=name)
    return made["HostedZone"]["Id"].rpartition("/")[2], f"web.{name}"


def timed(phases: Sequence[Mapping[str, Any]], seconds: float) -> list[Json]:
    """The phases, with a time limit for each step."""
    return [
        {**phase, "steps": [{"timeout": seconds, **step} for step in phase["steps"]]}
        for phase in phases
    ]


def step(kind: str, name: str = "", **settings: Any) -> Json:
    """One step of a phase."""
    return {"name": name or Ecs.steps[kind].label, "kind": kind, "settings": settings}
