"""Auto Scaling groups as AWS describes them."""

from typing import Any

from rollbacks.platforms.ami.groups import Group, group_of
from rollbacks.platforms.base import ArtifactRef, StepSpec, TargetRef


def target(**settings: Any) -> TargetRef:
    written = {
        "base_group": "base",
        "group_name": "{application}__{service}__{environment}",
        "target_groups": [],
        "stage_target_groups": [],
        "listener_rule": None,
        **settings,
    }
    return TargetRef("Shop", "web shop", "production", "east", {}, written, None)


def spec(kind: str, release: str = "7-1.4.2", **settings: Any) -> StepSpec:
    artifact = ArtifactRef("1.4.2", "ami-new", "", "AMI")
    return StepSpec("Step", kind, settings, {}, artifact, ("Shop__web_shop__production",), release)


def machine(own_id: str, state: str = "InService", **more: Any) -> dict[str, Any]:
    return {"InstanceId": own_id, "LifecycleState": state, "HealthStatus": "Healthy", **more}


def described(name: str, sizes: str = "1/4/2", **more: Any) -> dict[str, Any]:
    minimum, maximum, desired = (int(each) for each in sizes.split("/"))
    return {
        "AutoScalingGroupName": name,
        "MinSize": minimum,
        "MaxSize": maximum,
        "DesiredCapacity": desired,
        "LaunchTemplate": {"LaunchTemplateId": "lt-1", "Version": "3"},
        "AvailabilityZones": ["eu-west-1a"],
        "Instances": [],
        "Tags": [],
        **more,
    }


def tags(**values: str) -> list[dict[str, Any]]:
    """Of Lastgood, by their last part."""
    return [
        {"Key": f"lastgood:{name}", "Value": value, "PropagateAtLaunch": False}
        for name, value in values.items()
    ]


def group(name: str, sizes: str = "1/4/2", **more: Any) -> Group:
    return group_of(described(name, sizes, **more))
