"""A service on Auto Scaling groups, with a base group and a load balancer of its own."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dashboard.models import Deployment
from rollbacks.platforms.ami import Ami
from tests.aws.cloud import Balancer, FakeCloud, Statement
from tests.aws.target import credential_of, written
from tests.aws.waiting import until
from tests.scene import Scene, scene

Json = dict[str, Any]
EVERYTHING = ["autoscaling:*", "ec2:*", "elasticloadbalancing:*", "iam:*", "sts:*"]
# What AWS counts or names anew, whatever we do.
_ITS_OWN = ("AutoScalingGroupARN", "CreatedTime", "Instances")


@dataclass
class Shop:
    """`base`: the name of the base group; `template`: the id of its launch template.

    `credential`: the environment variable that has the keys.
    """

    cloud: FakeCloud
    base: str
    template: str
    balancer: Balancer
    key: str
    credential: str
    scene: Scene
    images: dict[str, str] = field(default_factory=dict)

    @property
    def autoscaling(self) -> Any:
        return self.cloud.client("autoscaling")

    def may_only(self, statements: Sequence[Statement]) -> None:
        """From now on the connector has the keys of somebody who may do just that."""
        os.environ[self.credential] = written(self.cloud.user(statements))

    def publish(self, version: str) -> None:
        """Its AMI has the version for a name, which says how its instances fare."""
        artifact = self.scene.artifact(version)
        if version not in self.images:
            self.images[version] = self.cloud.image(version)
        artifact.location = self.images[version]
        artifact.save()

    def start(self, version: str) -> Deployment:
        self.publish(version)
        return self.scene.start(version)

    def deploy(self, version: str) -> Deployment:
        self.publish(version)
        return self.scene.deploy(version)

    def groups(self) -> dict[str, Json]:
        """Those of the series, by their numbers."""
        pages = self.autoscaling.get_paginator("describe_auto_scaling_groups").paginate()
        every = [each for page in pages for each in page["AutoScalingGroups"]]
        prefix = f"{self.key}__"
        return {
            each["AutoScalingGroupName"].removeprefix(prefix): each
            for each in every
            if each["AutoScalingGroupName"].startswith(prefix)
        }

    def sizes(self) -> dict[str, tuple[int, int, int]]:
        """Minimum, desired and maximum, by number."""
        return {
            number: (each["MinSize"], each["DesiredCapacity"], each["MaxSize"])
            for number, each in self.groups().items()
        }

    def instances(self, number: str) -> set[str]:
        """The ids of those that are not on their way out."""
        found = self.groups()[number]["Instances"]
        return {each["InstanceId"] for each in found if "Terminating" not in each["LifecycleState"]}

    def resize(self, number: str, desired: int, **more: int) -> None:
        """As somebody else would."""
        name = f"{self.key}__{number}"
        self.autoscaling.update_auto_scaling_group(
            AutoScalingGroupName=name, DesiredCapacity=desired, **more
        )

    def settle(self) -> None:
        """Until every group has the instances that it wants."""
        until(
            lambda: all(
                len(self.instances(number)) == each["DesiredCapacity"]
                and {one["LifecycleState"] for one in each["Instances"]} <= {"InService"}
                for number, each in self.groups().items()
            )
        )

    def policies(self, name: str) -> list[Json]:
        found = self.autoscaling.describe_policies(AutoScalingGroupName=name)["ScalingPolicies"]
        drop = ("PolicyARN", "Alarms")
        return [{key: each[key] for key in each if key not in drop} for each in found]

    def weights(self) -> dict[str, int]:
        """Of the rule's target groups, in their order."""
        rule = self.cloud.client("elbv2").describe_rules(RuleArns=[self.balancer.rule])["Rules"][0]
        found = rule["Actions"][0]["ForwardConfig"]["TargetGroups"]
        return {each["TargetGroupArn"]: each["Weight"] for each in found}

    def everything(self) -> Json:
        """All that can be described of the target, but for what AWS counts or names anew."""
        groups = {
            number: {
                **{key: each[key] for key in each if key not in _ITS_OWN},
                "policies": self.policies(each["AutoScalingGroupName"]),
                "instances": len(self.instances(number)),
            }
            for number, each in self.groups().items()
        }
        versions = self.cloud.client("ec2").describe_launch_template_versions(
            LaunchTemplateId=self.template
        )["LaunchTemplateVersions"]
        return {
            "groups": groups,
            "versions": sorted(each["VersionNumber"] for each in versions),
            "rule": self.weights(),
            "targets": {arn: self.targets(arn) for arn in self.balancer.groups},
        }

    def targets(self, arn: str) -> list[str]:
        """The states of the target group's targets that are not draining."""
        found = self.cloud.client("elbv2").describe_target_health(TargetGroupArn=arn)
        states = [each["TargetHealth"]["State"] for each in found["TargetHealthDescriptions"]]
        return sorted(each for each in states if each != "draining")

    def base_group(self) -> Json:
        found: Json = self.autoscaling.describe_auto_scaling_groups(
            AutoScalingGroupNames=[self.base]
        )["AutoScalingGroups"][0]
        return found


def shop_in(
    cloud: FakeCloud,
    *,
    workflow_type: str = "BASIC",
    timeout: float = 300,
    phases: Sequence[Mapping[str, Any]] | None = None,
    sizes: Mapping[str, int] | None = None,
    actions: Sequence[str] = EVERYTHING,
    infrastructure: Mapping[str, Any] | None = None,
    by_weight: bool = False,
    base_group: Mapping[str, Any] | None = None,
    **definition: Any,
) -> Shop:
    """A workflow of that type with its default phases, unless others are given.

    `base_group`: settings of the base group. The first target group of the load balancer is the
    serving one, the second one the stage.
    """
    template = cloud.launch_template("base")
    base = cloud.auto_scaling_group(template, 0, **(base_group or {}))
    balancer = cloud.load_balancer("instance")
    name = credential_of(cloud, actions)
    key = cloud.name("shop-web")
    settings = {"minimum": 1, "desired": 2, "maximum": 4} if sizes is None else dict(sizes)
    made = scene(
        workflow_type=workflow_type,
        deployment_type="AMI",
        artifact_type="AMI",
        credential=f"env:{name}",
        connector={"region": cloud.region, "endpoint": cloud.endpoint},
        settings={
            "base_group": base,
            "group_name": key,
            **(infrastructure or attached(workflow_type, balancer, by_weight=by_weight)),
        },
        definition={
            "settings": settings,
            "phases": timed(phases or Ami().default_phases(workflow_type), timeout),
            **definition,
        },
    )
    made.infrastructure.name = key  # the groups of another test are another series
    made.infrastructure.save()
    return Shop(cloud, base, template, balancer, key, name, made)


def attached(workflow_type: str, balancer: Balancer, *, by_weight: bool) -> dict[str, Any]:
    if by_weight:
        return {"listener_rule": balancer.rule}
    serving, stage = balancer.groups
    found = {"target_groups": [serving]}
    return {**found, "stage_target_groups": [stage]} if workflow_type == "BLUE_GREEN" else found


def timed(phases: Sequence[Mapping[str, Any]], seconds: float) -> list[Json]:
    """The phases, with a time limit for each step."""
    return [
        {**phase, "steps": [{"timeout": seconds, **step} for step in phase["steps"]]}
        for phase in phases
    ]


def step(kind: str, name: str = "", **settings: Any) -> Json:
    """One step of a phase."""
    return {"name": name or Ami.steps[kind].label, "kind": kind, "settings": settings}
