"""Instance refreshes of the fake cloud's Auto Scaling groups."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from .cloud import HOUR, FakeCloud, Timing
from .test_cloud_scaling import in_service, look
from .waiting import until

Json = dict[str, Any]
HALF = {"MinHealthyPercentage": 50}


def started(cloud: FakeCloud, name: str, template: str, version: str, **preferences: Any) -> None:
    cloud.client("autoscaling").start_instance_refresh(
        AutoScalingGroupName=name,
        DesiredConfiguration={"LaunchTemplate": specification(template, version)},
        Preferences={**HALF, **preferences},
    )


def specification(template: str, version: str) -> Json:
    return {"LaunchTemplateId": template, "Version": version}


def refresh(cloud: FakeCloud, name: str) -> Json:
    """The newest."""
    found = cloud.client("autoscaling").describe_instance_refreshes(AutoScalingGroupName=name)
    newest: Json = found["InstanceRefreshes"][0]
    return newest


def ended(cloud: FakeCloud, name: str) -> str:
    """Its status when it is over."""
    active = {"Pending", "InProgress", "Cancelling", "RollbackInProgress"}

    def look() -> str:
        status: str = refresh(cloud, name)["Status"]
        return "" if status in active else status

    return until(look)


def versions(cloud: FakeCloud, name: str) -> list[str]:
    return [each["LaunchTemplate"]["Version"] for each in in_service(cloud, name)]


@pytest.fixture
def group(cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """A group of two instances, and its launch template, whose version 2 boots for an hour."""
    monkeypatch.setattr(cloud.timing, "slow", HOUR)
    monkeypatch.setattr(cloud.timing, "refresh_limit", 10 * HOUR)
    template = cloud.launch_template()
    cloud.launch_version(template, "slow")
    name = cloud.auto_scaling_group(template, 2)
    in_service(cloud, name)
    return name, template


def test_every_instance_is_replaced(cloud: FakeCloud, group: tuple[str, str]) -> None:
    name, template = group
    started(cloud, name, template, "2")
    one_more(cloud, name)
    assert 0 < refresh(cloud, name)["PercentageComplete"] < 100
    assert versions_now(cloud, name) != ["2", "2"]
    one_more(cloud, name)
    assert ended(cloud, name) == "Successful"
    assert versions(cloud, name) == ["2", "2"]
    found = refresh(cloud, name)
    assert (found["PercentageComplete"], found["InstancesToUpdate"]) == (100, 0)
    assert look(cloud, name)["LaunchTemplate"]["Version"] == "2"


def versions_now(cloud: FakeCloud, name: str) -> list[str]:
    return [
        each["LaunchTemplate"]["Version"]
        for each in look(cloud, name)["Instances"]
        if each["LifecycleState"] == "InService"
    ]


def one_more(cloud: FakeCloud, name: str) -> None:
    """Let an instance of version 2 come into service."""
    count = versions_now(cloud, name).count("2")
    until(lambda: [each for each in look(cloud, name)["Instances"] if is_booting(each)])
    cloud.skip(HOUR)
    until(lambda: versions_now(cloud, name).count("2") > count)


def is_booting(instance: Json) -> bool:
    return bool(instance["LifecycleState"] == "Pending")


def test_there_is_one_at_a_time(cloud: FakeCloud, group: tuple[str, str]) -> None:
    name, template = group
    started(cloud, name, template, "2")
    with pytest.raises(ClientError, match="InstanceRefreshInProgress"):
        started(cloud, name, template, "2")
    one_more(cloud, name)
    one_more(cloud, name)
    ended(cloud, name)
    started(cloud, name, template, "1")


def test_what_matches_can_be_skipped(cloud: FakeCloud, group: tuple[str, str]) -> None:
    name, template = group
    before = {each["InstanceId"] for each in in_service(cloud, name)}
    started(cloud, name, template, "1", SkipMatching=True)
    assert ended(cloud, name) == "Successful"
    assert {each["InstanceId"] for each in in_service(cloud, name)} == before
    started(cloud, name, template, "1")
    assert ended(cloud, name) == "Successful"
    assert before.isdisjoint(each["InstanceId"] for each in in_service(cloud, name))


def test_it_can_be_cancelled(cloud: FakeCloud, group: tuple[str, str]) -> None:
    name, template = group
    started(cloud, name, template, "2")
    cloud.client("autoscaling").cancel_instance_refresh(AutoScalingGroupName=name)
    assert ended(cloud, name) == "Cancelled"
    assert look(cloud, name)["LaunchTemplate"]["Version"] == "1"


def test_it_can_be_rolled_back(cloud: FakeCloud, group: tuple[str, str]) -> None:
    name, template = group
    started(cloud, name, template, "2")
    one_more(cloud, name)
    with cloud.standing_still():
        cloud.client("autoscaling").rollback_instance_refresh(AutoScalingGroupName=name)
        assert refresh(cloud, name)["Status"] == "RollbackInProgress"
    assert ended(cloud, name) == "RollbackSuccessful"
    assert versions(cloud, name) == ["1", "1"]
    assert look(cloud, name)["LaunchTemplate"]["Version"] == "1"
    assert refresh(cloud, name)["RollbackDetails"]["PercentageCompleteOnRollback"] >= 50


@pytest.mark.parametrize("action", ["rollback_instance_refresh", "cancel_instance_refresh"])
def test_only_what_is_in_progress_can_be_undone(
    cloud: FakeCloud, group: tuple[str, str], action: str
) -> None:
    name, template = group
    started(cloud, name, template, "1", SkipMatching=True)
    ended(cloud, name)
    with pytest.raises(ClientError, match="ActiveInstanceRefreshNotFound"):
        getattr(cloud.client("autoscaling"), action)(AutoScalingGroupName=name)


def test_without_a_fixed_version_there_is_no_way_back(
    cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cloud.timing, "slow", HOUR)
    template = cloud.launch_template()
    name = cloud.auto_scaling_group(template, 1, LaunchTemplate=specification(template, "$Latest"))
    in_service(cloud, name)
    started(cloud, name, template, cloud.launch_version(template, "slow"))
    with pytest.raises(ClientError, match="IrreversibleInstanceRefresh"):
        cloud.client("autoscaling").rollback_instance_refresh(AutoScalingGroupName=name)


@pytest.mark.parametrize(
    ("rolls_back", "status", "version"),
    [(False, "Failed", "2"), (True, "RollbackSuccessful", "1")],
)
def test_what_never_gets_healthy_fails(rolls_back: bool, status: str, version: str) -> None:
    with FakeCloud(timing=Timing(refresh_limit=1.2)) as cloud:
        target_group = cloud.load_balancer("instance").groups[0]
        template = cloud.launch_template()
        cloud.launch_version(template, "unready")
        name = cloud.auto_scaling_group(
            template,
            2,
            TargetGroupARNs=[target_group],
            HealthCheckType="ELB",
            HealthCheckGracePeriod=300,
        )
        in_service(cloud, name)
        started(cloud, name, template, "2", AutoRollback=rolls_back)
        assert ended(cloud, name) == status
        assert version in versions(cloud, name)
        assert look(cloud, name)["LaunchTemplate"]["Version"] == "1"
