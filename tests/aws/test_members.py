"""Which instances a group has, and where they are reached: asked of the suite's own AWS."""

import time

import pytest

from rollbacks.platforms.aws.members import members_of
from rollbacks.platforms.base import PlatformError, TargetRef
from tests.aws.cloud import FakeCloud
from tests.aws.group import NEEDED
from tests.aws.target import target_of, written
from tests.aws.waiting import until


@pytest.fixture
def account(cloud: FakeCloud) -> TargetRef:
    return target_of(cloud, written(cloud.account(NEEDED)))


def up(cloud: FakeCloud, account: TargetRef, count: int) -> str:
    name = cloud.auto_scaling_group(count=count, MaxSize=200)
    until(lambda: sum(each.in_service for each in members_of(account, name, "private_ip")) == count)
    return name


def test_members_are_listed_by_launch_with_the_address_that_is_wanted(
    cloud: FakeCloud, account: TargetRef
) -> None:
    group = up(cloud, account, 2)
    first = [each.name for each in members_of(account, group, "private_ip")]
    time.sleep(1)  # a launch is told to the second; of the same one, the id decides
    cloud.client("autoscaling").update_auto_scaling_group(
        AutoScalingGroupName=group, DesiredCapacity=3
    )
    until(lambda: len(members_of(account, group, "private_ip")) == 3)
    described = cloud.client("ec2").describe_instances(InstanceIds=first)["Reservations"]
    by_name = {each["InstanceId"]: each for part in described for each in part["Instances"]}
    found = members_of(account, group, "private_dns")
    assert [each.name for each in found][:2] == first
    assert [each.address for each in found][:2] == [
        by_name[name]["PrivateDnsName"] for name in first
    ]


def test_what_ec2_has_ended_is_gone_before_its_group_notices(
    cloud: FakeCloud, account: TargetRef
) -> None:
    group = up(cloud, account, 2)
    ended, other = (each.name for each in members_of(account, group, "private_ip"))
    cloud.client("ec2").terminate_instances(InstanceIds=[ended])
    assert other in [each.name for each in members_of(account, group, "private_ip")]
    assert ended not in [each.name for each in members_of(account, group, "private_ip")]


def test_more_members_than_one_call_describes(cloud: FakeCloud, account: TargetRef) -> None:
    group = up(cloud, account, 103)
    assert len({each.name for each in members_of(account, group, "private_ip")}) == 103


def test_a_group_that_is_not_there_and_a_right_that_is_missing(
    cloud: FakeCloud, account: TargetRef
) -> None:
    with pytest.raises(PlatformError, match="There is no Auto Scaling group nowhere") as absent:
        members_of(account, "nowhere", "private_ip")
    assert absent.value.permanent
    blind = target_of(cloud, written(cloud.account(["ec2:DescribeInstances"])))
    with pytest.raises(PlatformError, match="AWS refuses DescribeAutoScalingGroups"):
        members_of(blind, "nowhere", "private_ip")
