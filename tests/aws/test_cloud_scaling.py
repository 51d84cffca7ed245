"""Auto Scaling groups: their instances, their target groups, and what is told of both."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from .cloud import FakeCloud
from .cloud.scenery import network
from .waiting import until

Json = dict[str, Any]


def look(cloud: FakeCloud, name: str) -> Json:
    found = cloud.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])
    groups: list[Json] = found["AutoScalingGroups"]
    return groups[0] if groups else {}


def in_service(cloud: FakeCloud, name: str) -> list[Json]:
    """Its instances, as soon as it has just as many as it should, and all are in service."""

    def settled() -> Json:
        group = look(cloud, name)
        states = [each["LifecycleState"] for each in group["Instances"]]
        return group if states == ["InService"] * group["DesiredCapacity"] else {}

    instances: list[Json] = until(settled)["Instances"]
    return instances


def resize(cloud: FakeCloud, name: str, count: int) -> None:
    cloud.client("autoscaling").set_desired_capacity(
        AutoScalingGroupName=name, DesiredCapacity=count
    )


def activities(cloud: FakeCloud, name: str) -> list[Json]:
    found: list[Json] = cloud.client("autoscaling").describe_scaling_activities(
        AutoScalingGroupName=name
    )["Activities"]
    return found


def ids(instances: list[Json]) -> set[str]:
    return {each["InstanceId"] for each in instances}


def test_a_group_comes_up(cloud: FakeCloud) -> None:
    template = cloud.launch_template()
    name = cloud.auto_scaling_group(template, 3)
    instances = in_service(cloud, name)
    assert {each["AvailabilityZone"] for each in instances} == {
        f"{cloud.region}a",
        f"{cloud.region}b",
    }
    for each in instances:
        assert each["LaunchTemplate"]["LaunchTemplateId"] == template
        assert (each["LaunchTemplate"]["Version"], each["HealthStatus"]) == ("1", "Healthy")
    reservations = cloud.client("ec2").describe_instances(InstanceIds=list(ids(instances)))
    running = [
        each["State"]["Name"] for r in reservations["Reservations"] for each in r["Instances"]
    ]
    assert running == ["running"] * 3


def test_it_shrinks_and_grows_with_other_instances(cloud: FakeCloud) -> None:
    name = cloud.auto_scaling_group(count=2)
    before = ids(in_service(cloud, name))
    resize(cloud, name, 0)
    until(lambda: not look(cloud, name)["Instances"])
    reservations = cloud.client("ec2").describe_instances(InstanceIds=list(before))
    states = {i["State"]["Name"] for r in reservations["Reservations"] for i in r["Instances"]}
    assert states == {"terminated"}
    resize(cloud, name, 2)
    assert not before & ids(in_service(cloud, name))


def test_activities_tell_what_happened_and_why(cloud: FakeCloud) -> None:
    name = cloud.auto_scaling_group(count=1)
    in_service(cloud, name)
    resize(cloud, name, 0)
    until(lambda: not look(cloud, name)["Instances"])
    ended, begun = activities(cloud, name)
    assert ended["Description"].startswith("Terminating EC2 instance: i-")
    assert "shrinking the capacity from 1 to 0." in ended["Cause"]
    assert "changing the desired capacity from 1 to 0." in ended["Cause"]
    assert begun["Description"].startswith("Launching a new EC2 instance: i-")
    assert "increasing the capacity from 0 to 1." in begun["Cause"]
    assert {each["StatusCode"] for each in (ended, begun)} == {"Successful"}
    assert {each["Progress"] for each in (ended, begun)} == {100}


def test_a_shortage_is_told_and_ends(cloud: FakeCloud) -> None:
    name = cloud.auto_scaling_group(count=0)
    cloud.shortage("EC2")
    try:
        resize(cloud, name, 2)
        failed = until(lambda: activities(cloud, name))[-1]
    finally:
        cloud.shortage("EC2", False)
    assert failed["StatusCode"] == "Failed"
    assert failed["StatusMessage"].startswith(
        "We currently do not have sufficient t3.micro capacity in the Availability Zone"
    )
    assert len(in_service(cloud, name)) == 2


def test_an_instance_that_is_terminated_too_early_was_cancelled(cloud: FakeCloud) -> None:
    with cloud.lasting("slow"):
        name = cloud.auto_scaling_group(cloud.launch_template("slow"), 1)
        until(lambda: look(cloud, name)["Instances"])
        resize(cloud, name, 0)
        until(lambda: not look(cloud, name)["Instances"])
    assert [each["StatusCode"] for each in activities(cloud, name)] == ["Successful", "Cancelled"]


def test_an_instance_that_somebody_terminated_is_replaced(cloud: FakeCloud) -> None:
    name = cloud.auto_scaling_group(count=1)
    before = ids(in_service(cloud, name))
    cloud.client("ec2").terminate_instances(InstanceIds=list(before))
    until(lambda: before.isdisjoint(ids(look(cloud, name)["Instances"])))
    in_service(cloud, name)
    assert any("EC2 health check" in each["Cause"] for each in activities(cloud, name))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"DesiredCapacity": 11}, "Desired capacity:11 must be between"),
        ({"MinSize": 12}, "Max bound, 10, must be greater than or equal to min bound, 12"),
        ({"LaunchTemplate": {"LaunchTemplateId": "lt-none"}}, "does not exist"),
    ],
)
def test_what_does_not_fit_is_refused(cloud: FakeCloud, changes: Json, message: str) -> None:
    name = cloud.auto_scaling_group(count=0)
    with pytest.raises(ClientError, match="ValidationError") as raised:
        cloud.client("autoscaling").update_auto_scaling_group(AutoScalingGroupName=name, **changes)
    assert message in raised.value.response["Error"]["Message"]


def test_capacity_stays_within_bounds(cloud: FakeCloud) -> None:
    name = cloud.auto_scaling_group(count=1)
    autoscaling = cloud.client("autoscaling")
    with pytest.raises(ClientError, match="value 11 is above max value 10"):
        resize(cloud, name, 11)
    autoscaling.update_auto_scaling_group(AutoScalingGroupName=name, MinSize=2)
    assert len(in_service(cloud, name)) == 2
    with pytest.raises(ClientError, match="value 1 is below min value 2"):
        resize(cloud, name, 1)
    autoscaling.update_auto_scaling_group(AutoScalingGroupName=name, MinSize=0, MaxSize=1)
    assert len(in_service(cloud, name)) == 1


def test_a_name_is_taken_once(cloud: FakeCloud) -> None:
    name = cloud.auto_scaling_group(count=0)
    with pytest.raises(ClientError, match="AlreadyExists"):
        cloud.auto_scaling_group(count=0, AutoScalingGroupName=name)


def test_a_group_with_instances_is_not_deleted(cloud: FakeCloud) -> None:
    name = cloud.auto_scaling_group(count=1)
    in_service(cloud, name)
    autoscaling = cloud.client("autoscaling")
    with pytest.raises(ClientError, match="ResourceInUse"):
        autoscaling.delete_auto_scaling_group(AutoScalingGroupName=name)
    autoscaling.delete_auto_scaling_group(AutoScalingGroupName=name, ForceDelete=True)
    until(lambda: not look(cloud, name))
    cloud.auto_scaling_group(count=0, AutoScalingGroupName=name)


@pytest.mark.parametrize(("process", "before", "after"), [("Launch", 0, 1), ("Terminate", 1, 0)])
def test_a_suspended_process_waits(cloud: FakeCloud, process: str, before: int, after: int) -> None:
    name = cloud.auto_scaling_group(count=before)
    in_service(cloud, name)
    autoscaling = cloud.client("autoscaling")
    autoscaling.suspend_processes(AutoScalingGroupName=name, ScalingProcesses=[process])
    suspended = look(cloud, name)["SuspendedProcesses"]
    assert [each["ProcessName"] for each in suspended] == [process]
    resize(cloud, name, after)
    cloud.auto_scaling_group(count=1)  # something that takes longer than the group would
    assert len(look(cloud, name)["Instances"]) == before
    autoscaling.resume_processes(AutoScalingGroupName=name, ScalingProcesses=[process])
    assert len(in_service(cloud, name)) == after


def test_an_unhealthy_instance_is_replaced_unless_that_is_suspended(cloud: FakeCloud) -> None:
    name = cloud.auto_scaling_group(count=1)
    (instance,) = ids(in_service(cloud, name))
    autoscaling = cloud.client("autoscaling")
    which = {"AutoScalingGroupName": name, "ScalingProcesses": ["ReplaceUnhealthy"]}
    autoscaling.suspend_processes(**which)
    autoscaling.set_instance_health(InstanceId=instance, HealthStatus="Unhealthy")
    assert [each["HealthStatus"] for each in look(cloud, name)["Instances"]] == ["Unhealthy"]
    autoscaling.resume_processes(**which)
    until(lambda: instance not in ids(look(cloud, name)["Instances"]))
    in_service(cloud, name)


def test_one_instance_can_be_taken_out(cloud: FakeCloud) -> None:
    name = cloud.auto_scaling_group(count=2)
    first, second = (each["InstanceId"] for each in in_service(cloud, name))
    cloud.client("autoscaling").terminate_instance_in_auto_scaling_group(
        InstanceId=first, ShouldDecrementDesiredCapacity=True
    )
    assert ids(in_service(cloud, name)) == {second}


def test_protected_instances_stay(cloud: FakeCloud) -> None:
    name = cloud.auto_scaling_group(count=2, NewInstancesProtectedFromScaleIn=True)
    instances = ids(in_service(cloud, name))
    resize(cloud, name, 0)
    kept = sorted(instances)[0]
    cloud.client("autoscaling").set_instance_protection(
        AutoScalingGroupName=name,
        InstanceIds=list(instances - {kept}),
        ProtectedFromScaleIn=False,
    )
    resize(cloud, name, 0)
    until(lambda: ids(look(cloud, name)["Instances"]) == {kept})


def test_a_new_version_is_for_new_instances_only(cloud: FakeCloud) -> None:
    template = cloud.launch_template()
    name = cloud.auto_scaling_group(template, 1)
    in_service(cloud, name)
    version = cloud.launch_version(template, "2")
    cloud.client("autoscaling").update_auto_scaling_group(
        AutoScalingGroupName=name,
        LaunchTemplate={"LaunchTemplateId": template, "Version": "$Latest"},
        DesiredCapacity=2,
    )
    versions = [each["LaunchTemplate"]["Version"] for each in in_service(cloud, name)]
    assert versions == ["1", version]


def test_groups_are_listed_in_pages_without_instances_if_asked(cloud: FakeCloud) -> None:
    tag = {"Key": cloud.name("infrastructure"), "Value": "42", "PropagateAtLaunch": False}
    names = {cloud.auto_scaling_group(count=1, Tags=[tag]) for _ in range(3)}
    in_service(cloud, next(iter(names)))
    pages = (
        cloud.client("autoscaling")
        .get_paginator("describe_auto_scaling_groups")
        .paginate(
            Filters=[{"Name": f"tag:{tag['Key']}", "Values": ["42"]}],
            IncludeInstances=False,
            PaginationConfig={"PageSize": 2},
        )
    )
    found = [page["AutoScalingGroups"] for page in pages]
    assert [len(each) for each in found] == [2, 1]
    assert {each["AutoScalingGroupName"] for page in found for each in page} == names
    assert all(each["Instances"] == [] for page in found for each in page)


def test_tags_can_be_changed(cloud: FakeCloud) -> None:
    name = cloud.auto_scaling_group(count=0)
    autoscaling = cloud.client("autoscaling")
    tag = {"ResourceId": name, "ResourceType": "auto-scaling-group", "Key": "BG_VERSION"}
    autoscaling.create_or_update_tags(Tags=[{**tag, "Value": "BLUE", "PropagateAtLaunch": True}])
    assert [each["Value"] for each in look(cloud, name)["Tags"]] == ["BLUE"]
    filters = [{"Name": "auto-scaling-group", "Values": [name]}]
    assert autoscaling.describe_tags(Filters=filters)["Tags"][0]["Key"] == "BG_VERSION"
    autoscaling.delete_tags(Tags=[tag])
    assert look(cloud, name)["Tags"] == []


def test_policies_are_kept_with_the_group(cloud: FakeCloud) -> None:
    name = cloud.auto_scaling_group(count=0)
    autoscaling = cloud.client("autoscaling")
    autoscaling.put_scaling_policy(
        AutoScalingGroupName=name,
        PolicyName="cpu",
        PolicyType="TargetTrackingScaling",
        TargetTrackingConfiguration={
            "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"},
            "TargetValue": 50.0,
        },
    )
    found = autoscaling.describe_policies(AutoScalingGroupName=name)["ScalingPolicies"]
    assert [each["PolicyName"] for each in found] == ["cpu"]
    autoscaling.delete_policy(AutoScalingGroupName=name, PolicyName="cpu")
    assert autoscaling.describe_policies(AutoScalingGroupName=name)["ScalingPolicies"] == []


def test_instances_are_in_the_zones_of_their_subnets(cloud: FakeCloud) -> None:
    _, subnets = network(cloud)
    zone = f"{cloud.region}b"
    name = cloud.auto_scaling_group(count=2, AvailabilityZones=[], VPCZoneIdentifier=subnets[1])
    assert {each["AvailabilityZone"] for each in in_service(cloud, name)} == {zone}
    assert look(cloud, name)["AvailabilityZones"] == [zone]
    with pytest.raises(ClientError, match="ValidationError"):
        cloud.auto_scaling_group(VPCZoneIdentifier="subnet-none")


def test_a_mixed_instances_policy_names_the_template(cloud: FakeCloud) -> None:
    template = cloud.launch_template()
    specification = {"LaunchTemplateId": template, "Version": "1"}
    policy = {"LaunchTemplate": {"LaunchTemplateSpecification": specification}}
    name = cloud.auto_scaling_group(template, 1)
    cloud.client("autoscaling").update_auto_scaling_group(
        AutoScalingGroupName=name, MixedInstancesPolicy=policy, DesiredCapacity=2
    )
    templates = [each["LaunchTemplate"]["LaunchTemplateId"] for each in in_service(cloud, name)]
    assert templates == [template, template]
    group = look(cloud, name)
    assert ("LaunchTemplate" in group, group["MixedInstancesPolicy"]) == (False, policy)
