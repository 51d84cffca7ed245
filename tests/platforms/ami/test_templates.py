import pytest

from rollbacks.platforms.ami import templates
from rollbacks.platforms.ami.groups import Group, Template
from rollbacks.platforms.base import PlatformError
from tests.platforms.ami.described import group

MIXED = {
    "LaunchTemplate": {
        "LaunchTemplateSpecification": {"LaunchTemplateId": "lt-1", "Version": "$Latest"},
        "Overrides": [{"InstanceType": "m6i.large"}, {"InstanceType": "m5.large"}],
    },
    "InstancesDistribution": {"OnDemandBaseCapacity": 1},
}


def made(base: Group, **more: object) -> dict[str, object]:
    choices: dict[str, object] = {
        "name": "shop__2",
        "template": Template("lt-1", "8"),
        "maximum": 10,
        "target_groups": [],
        "tags": {"lastgood:number": "2"},
    }
    return templates.creation(base, [], **{**choices, **more})  # type: ignore[arg-type]


def test_a_new_group_is_as_the_base_group_but_empty() -> None:
    base = group(
        "base",
        "2/5/3",
        VPCZoneIdentifier="subnet-1,subnet-2",
        HealthCheckType="ELB",
        HealthCheckGracePeriod=90,
        TerminationPolicies=["OldestInstance"],
        InstanceMaintenancePolicy={"MinHealthyPercentage": 90, "MaxHealthyPercentage": 110},
        DefaultInstanceWarmup=-1,
        TargetGroupARNs=["its own"],
        SuspendedProcesses=[{"ProcessName": "Launch"}],
    )
    found = made(base, target_groups=["prod"])
    assert found["MinSize"] == found["DesiredCapacity"] == 0
    assert found["MaxSize"] == 10
    assert found["VPCZoneIdentifier"] == "subnet-1,subnet-2"
    assert "AvailabilityZones" not in found
    assert found["HealthCheckType"] == "ELB"
    assert found["HealthCheckGracePeriod"] == 90
    assert found["InstanceMaintenancePolicy"] == {
        "MinHealthyPercentage": 90,
        "MaxHealthyPercentage": 110,
    }
    assert "DefaultInstanceWarmup" not in found
    assert found["TargetGroupARNs"] == ["prod"]
    assert found["LaunchTemplate"] == {"LaunchTemplateId": "lt-1", "Version": "8"}


def test_without_subnets_it_has_the_zones() -> None:
    assert made(group("base"))["AvailabilityZones"] == ["eu-west-1a"]


def test_instances_of_several_types_start_from_the_new_version() -> None:
    base = group("base", LaunchTemplate=None, MixedInstancesPolicy=MIXED)
    assert templates.template_of(base) == Template("lt-1", "$Latest")
    found = made(base)
    assert "LaunchTemplate" not in found
    mixed = found["MixedInstancesPolicy"]
    assert mixed == {
        **MIXED,
        "LaunchTemplate": {
            "LaunchTemplateSpecification": {"LaunchTemplateId": "lt-1", "Version": "8"},
            "Overrides": [{"InstanceType": "m6i.large"}, {"InstanceType": "m5.large"}],
        },
    }
    assert base.described["MixedInstancesPolicy"] == MIXED


def test_tags_of_the_base_group_come_along_but_for_those_of_aws() -> None:
    base = group(
        "base",
        Tags=[
            {"Key": "team", "Value": "shop", "PropagateAtLaunch": True},
            {"Key": "aws:cloudformation:stack-name", "Value": "s", "PropagateAtLaunch": True},
            {"Key": "lastgood:number", "Value": "1", "PropagateAtLaunch": True},
        ],
    )
    found = made(base)["Tags"]
    assert isinstance(found, list)
    assert {each["Key"]: (each["Value"], each["PropagateAtLaunch"]) for each in found} == {
        "team": ("shop", True),
        "lastgood:number": ("2", False),
    }
    assert {each["ResourceId"] for each in found} == {"shop__2"}


def test_lifecycle_hooks_come_along() -> None:
    hook = {
        "LifecycleHookName": "drain",
        "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING",
        "AutoScalingGroupName": "base",
        "GlobalTimeout": 172800,
        "HeartbeatTimeout": 60,
    }
    found = templates.creation(
        group("base"), [hook], name="a", template=Template("lt-1", "2"), maximum=1,
        target_groups=[], tags={},
    )  # fmt: skip
    assert found["LifecycleHookSpecificationList"] == [
        {
            "LifecycleHookName": "drain",
            "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING",
            "HeartbeatTimeout": 60,
        }
    ]


def test_a_launch_configuration_is_refused_with_what_to_do() -> None:
    base = group("base", LaunchTemplate=None, LaunchConfigurationName="old")
    with pytest.raises(PlatformError, match="migrate it to a launch template") as refused:
        templates.template_of(base)
    assert refused.value.permanent


def test_what_does_not_come_along_is_said() -> None:
    base = group("base", LoadBalancerNames=["classic"], WarmPoolConfiguration={"MinSize": 1})
    assert len(list(templates.left_behind(base))) == 2
    assert not list(templates.left_behind(group("base")))


def test_one_ami_cannot_stand_for_templates_of_their_own() -> None:
    override = {"InstanceType": "m7g.large", "LaunchTemplateSpecification": {}}
    mixed = {"LaunchTemplate": {"Overrides": [override]}}
    (said,) = templates.unsupported(group("base", MixedInstancesPolicy=mixed))
    assert "one AMI" in said
    assert not list(templates.unsupported(group("base", MixedInstancesPolicy=MIXED)))
