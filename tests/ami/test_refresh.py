"""Instance refreshes: what AWS itself cannot take back any more, and what still goes on."""

import pytest

from dashboard.models import Status
from tests.ami.conftest import Open
from tests.ami.shop import Shop
from tests.ami.test_crashes import DYING, worked_by_many
from tests.ami.test_every_type import REFRESH, succeeded
from tests.aws.waiting import gives_up
from tests.aws.wire import Wire, lose_every_answer_once
from tests.engine.faults import finish
from tests.scene import verdicts

BY_BALANCER = {"HealthCheckType": "ELB", "HealthCheckGracePeriod": 300}


@pytest.fixture
def shop(open_shop: Open) -> Shop:
    """Its load balancer says which instances are healthy."""
    return open_shop(**REFRESH, base_group=BY_BALANCER)


def template_versions(shop: Shop) -> set[str]:
    """What the instances of the group were started from."""
    (group,) = shop.groups().values()
    return {each["LaunchTemplate"]["Version"] for each in group["Instances"]}


def refreshes(shop: Shop) -> list[str]:
    """Their states, the newest first."""
    found = shop.autoscaling.describe_instance_refreshes(AutoScalingGroupName=f"{shop.key}__1")
    return [each["Status"] for each in found["InstanceRefreshes"]]


def test_the_same_group_gets_new_instances_there_and_back(shop: Shop) -> None:
    succeeded(shop.deploy("1.4.1"))
    first, was = shop.instances("1"), template_versions(shop)
    bad = succeeded(shop.deploy("1.4.2"))
    assert list(shop.groups()) == ["1"]
    assert template_versions(shop) != was
    assert not shop.instances("1") & first
    succeeded(shop.scene.roll_back(bad))
    assert template_versions(shop) == was
    assert not shop.instances("1") & first
    assert refreshes(shop) == ["Successful", "Successful"]


def has_an_unhealthy_target(shop: Shop) -> bool:
    return "unhealthy" in shop.targets(shop.balancer.groups[0])


def test_the_first_deployment_is_taken_back_to_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = shop.everything()
    gives_up(monkeypatch, lambda: has_an_unhealthy_target(shop))
    failed = shop.deploy("unready-1")
    assert (failed.status, failed.code) == (Status.FAILED, "ROLLED_BACK"), failed.message
    assert shop.everything() == before


def test_a_refresh_that_aws_gives_up_is_taken_back(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    succeeded(shop.deploy("1.4.1"))
    before, was = shop.everything(), template_versions(shop)

    def until_aws_gives_up() -> bool:
        if has_an_unhealthy_target(shop):
            shop.cloud.skip(shop.cloud.timing.refresh_limit)
        return False

    gives_up(monkeypatch, until_aws_gives_up)
    failed = shop.deploy("unready-2")
    assert (failed.status, failed.code) == (Status.FAILED, "ROLLED_BACK"), failed.message
    assert f"AWS ended the instance refresh of {shop.key}__1: Instances did" in failed.message
    assert refreshes(shop) == ["Successful", "Failed"]
    assert shop.everything() == before
    assert template_versions(shop) == was


def test_our_own_refresh_under_way_is_cancelled(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    with shop.cloud.lasting("slow"):
        gives_up(monkeypatch, lambda: refreshes(shop)[0] == "InProgress")
        failed = shop.deploy("slow-2")
    assert (failed.status, failed.code) == (Status.FAILED, "ROLLED_BACK"), failed.message
    assert "Cancelled" in refreshes(shop)
    assert shop.everything() == before


def test_what_somebody_else_changed_of_the_group_is_taken_back(shop: Shop) -> None:
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    bad = succeeded(shop.deploy("1.4.2"))
    shop.resize("1", 1, MaxSize=1)
    which = {"AutoScalingGroupName": f"{shop.key}__1"}
    shop.autoscaling.detach_load_balancer_target_groups(
        **which, TargetGroupARNs=[shop.balancer.groups[0]]
    )
    shop.autoscaling.suspend_processes(**which, ScalingProcesses=["Launch", "AZRebalance"])
    succeeded(shop.scene.roll_back(bad))
    assert shop.everything() == before


def test_a_refresh_by_somebody_else_is_told_of_and_ends(shop: Shop) -> None:
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    bad = succeeded(shop.deploy("1.4.2"))
    other = shop.cloud.launch_version(shop.template, "unready")
    shop.autoscaling.start_instance_refresh(
        AutoScalingGroupName=f"{shop.key}__1",
        DesiredConfiguration={
            "LaunchTemplate": {"LaunchTemplateId": shop.template, "Version": other}
        },
    )
    succeeded(shop.scene.roll_back(bad))
    assert refreshes(shop)[:2] == ["Successful", "Cancelled"]
    shop.cloud.client("ec2").delete_launch_template_versions(
        LaunchTemplateId=shop.template, Versions=[other]
    )
    assert shop.everything() == before


def test_the_version_that_instances_started_from_is_gone(shop: Shop, wire: Wire) -> None:
    succeeded(shop.deploy("1.4.1"))
    (number,) = template_versions(shop)
    bad = succeeded(shop.deploy("1.4.2"))
    shop.cloud.client("ec2").delete_launch_template_versions(
        LaunchTemplateId=shop.template, Versions=[number]
    )
    wire.sent.clear()
    failed = shop.scene.roll_back(bad)
    assert (failed.status, failed.code) == (Status.FAILED, "NOT_READY")
    assert "cannot start an instance as before" in failed.message
    assert wire.sent == []


@pytest.mark.parametrize("after_effect", DYING)
def test_workers_that_all_die_at_a_change_begin_one_refresh_each_way(
    shop: Shop, wire: Wire, after_effect: bool
) -> None:
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    if after_effect:
        wire.workers_die_after_one_change()
    else:
        wire.workers_die_before_their_second_change()
    wire.sent.clear()
    bad, died = worked_by_many(shop.start("1.4.2"))
    succeeded(bad)
    assert died >= 2, "the changes are no longer what they were"
    done, died = worked_by_many(shop.scene.confirm(bad))
    succeeded(done)
    assert died >= 2, "the changes are no longer what they were"
    assert verdicts(done) == {shop.key: "ROLLED_BACK"}
    assert shop.everything() == before
    assert wire.sent.count("start_instance_refresh") == 2


@pytest.mark.parametrize("after_effect", DYING)
def test_every_answer_is_lost_once(shop: Shop, after_effect: bool) -> None:
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    lose_every_answer_once(shop.cloud, after_effect=after_effect)
    bad = succeeded(finish(shop.start("1.4.2")))
    succeeded(finish(shop.scene.confirm(bad)))
    shop.cloud.forgive()
    assert shop.everything() == before
    assert refreshes(shop) == ["Successful", "Successful"]
