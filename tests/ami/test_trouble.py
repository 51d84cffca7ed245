"""Rights that are missing, instances that do not come, and others who change the groups, too."""

import json
import re
from pathlib import Path

import pytest
from django.utils import timezone

from dashboard.models import Status
from rollbacks import actions, observation, plan, readiness, specs
from rollbacks.pacing import SharedPace
from rollbacks.platforms.aws.api import Lost
from rollbacks.platforms.base import OutcomeState
from tests.ami.conftest import PACED, Open
from tests.ami.shop import Shop
from tests.ami.test_every_type import INCREMENTAL, succeeded
from tests.aws.cloud import Drop, FakeCloud, Statement
from tests.aws.waiting import gives_up
from tests.aws.wire import Wire
from tests.engine.faults import finish
from tests.platforms.ssh.control import RecordingControl
from tests.scene import verdicts

DOCUMENT = Path(__file__).parents[2] / "docs/platforms/ami.md"
LOOKS = (
    "autoscaling:Describe*",
    "ec2:Describe*",
    "elasticloadbalancing:Describe*",
    "iam:SimulatePrincipalPolicy",
)


def documented(shop: Shop) -> list[Statement]:
    """What the documentation calls the least, for the groups and the rule of this shop."""
    (written,) = re.findall(r"```json\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    written = written.replace("Shop__web__", f"{shop.key}__").replace("app/shop/", "app/")
    found = []
    for each in json.loads(written)["Statement"]:
        actions, resource = each["Action"], each["Resource"]
        found.append(
            Statement((actions,) if isinstance(actions, str) else tuple(actions), (resource,))
        )
    return found


@pytest.mark.parametrize(
    "choices", [{"workflow_type": "CANARY"}, INCREMENTAL], ids=["canary", "by weight"]
)
def test_the_least_that_is_documented_is_enough(open_shop: Open, choices: dict[str, str]) -> None:
    shop = open_shop(**choices)
    shop.may_only(documented(shop))
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    bad = succeeded(shop.deploy("1.4.2"))
    succeeded(shop.scene.roll_back(bad))
    assert shop.everything() == before


def test_a_right_on_other_groups_is_none_and_nothing_is_touched(
    open_shop: Open, wire: Wire
) -> None:
    shop = open_shop()
    succeeded(shop.deploy("1.4.1"))
    bad = succeeded(shop.deploy("1.4.2"))
    other = "arn:aws:autoscaling:*:*:autoScalingGroup:*:autoScalingGroupName/other__*"
    shop.may_only([Statement(LOOKS), Statement(("autoscaling:*",), (other,))])
    wire.sent.clear()
    failed = shop.scene.roll_back(bad)
    assert (failed.status, failed.code) == (Status.FAILED, "NOT_READY")
    assert "may not autoscaling:" in failed.message
    assert f"autoScalingGroupName/{shop.key}__2" in failed.message
    assert "ec2:DeleteLaunchTemplateVersions on arn:aws:ec2:" in failed.message
    assert wire.sent == []


def test_who_may_not_look_hears_what_to_be_allowed(open_shop: Open, wire: Wire) -> None:
    shop = open_shop()
    looks = ("autoscaling:DescribeAutoScalingGroups", "iam:SimulatePrincipalPolicy")
    shop.may_only([Statement(looks)])
    failed = shop.deploy("1.4.1")
    assert (failed.status, failed.code) == (Status.FAILED, "NOT_READY")
    assert "may not autoscaling:DescribeInstanceRefreshes, " in failed.message
    assert wire.sent == []


def has_failed(shop: Shop, number: str) -> bool:
    """Whether an instance of the group could not be started."""
    found = shop.autoscaling.describe_scaling_activities(
        AutoScalingGroupName=f"{shop.key}__{number}"
    )["Activities"]
    return any(each["StatusCode"] == "Failed" for each in found)


def test_instances_that_never_get_healthy_are_taken_back(
    open_shop: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = open_shop(workflow_type="CANARY")
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    gives_up(monkeypatch, lambda: "unhealthy" in shop.targets(shop.balancer.groups[0]))
    failed = shop.deploy("unready-1")
    assert (failed.status, failed.code) == (Status.FAILED, "ROLLED_BACK"), failed.message
    assert "healthy" in failed.message
    assert shop.everything() == before


def test_without_capacity_the_old_instances_stay_and_the_reason_is_shown(
    open_shop: Open, cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = open_shop()
    succeeded(shop.deploy("1.4.1"))
    before, was = shop.everything(), shop.instances("1")
    gives_up(monkeypatch, lambda: has_failed(shop, "2"))
    cloud.shortage("EC2")
    try:
        failed = shop.deploy("1.4.2")
    finally:
        cloud.shortage("EC2", is_on=False)
    assert (failed.status, failed.code) == (Status.FAILED, "ROLLED_BACK"), failed.message
    assert "capacity" in failed.message
    assert shop.everything() == before
    assert shop.instances("1") == was


def test_a_rollback_waits_for_capacity_before_it_takes_anything_away(
    open_shop: Open, cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = open_shop()
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    bad = succeeded(shop.deploy("1.4.2"))
    gives_up(monkeypatch, lambda: has_failed(shop, "1"))
    serving = shop.instances("2")
    cloud.shortage("EC2")
    try:
        failed = shop.scene.roll_back(bad)
        assert failed.status == Status.FAILED
        assert "capacity" in failed.message
        assert shop.instances("2") == serving
    finally:
        cloud.shortage("EC2", is_on=False)
    again = succeeded(shop.scene.roll_back(bad))
    assert verdicts(again) == {shop.key: "ROLLED_BACK"}
    assert shop.everything() == before


def test_what_somebody_else_changed_is_said_and_brought_back(open_shop: Open) -> None:
    shop = open_shop()
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    bad = succeeded(shop.deploy("1.4.2"))
    shop.resize("2", 3)
    for number, process in {"1": "Launch", "2": "Terminate"}.items():
        shop.autoscaling.suspend_processes(
            AutoScalingGroupName=f"{shop.key}__{number}", ScalingProcesses=[process]
        )
    told = [
        each.inspection
        for each in readiness.of_plan(plan.rollback(bad, plan.Configuration.DEPLOYED))
    ]
    warnings = [each for inspection in told for each in inspection.warnings]
    assert f"{shop.key}__1: suspended processes: Launch" in warnings
    lines = [line for inspection in told for each in inspection.differences for line in each.lines]
    assert "-  desired: 3" in lines or "-sizes: 1/4/3" in lines, lines
    succeeded(shop.scene.roll_back(bad))
    assert shop.everything() == before


def test_instances_that_will_not_go_are_told_of_before(open_shop: Open) -> None:
    shop = open_shop()
    succeeded(shop.deploy("1.4.1"))
    bad = succeeded(shop.deploy("1.4.2"))
    shop.autoscaling.set_instance_protection(
        AutoScalingGroupName=f"{shop.key}__2",
        InstanceIds=sorted(shop.instances("2")),
        ProtectedFromScaleIn=True,
    )
    told = readiness.of_plan(plan.rollback(bad, plan.Configuration.DEPLOYED))
    warnings = [each for one in told for each in one.inspection.warnings]
    text = f"Some instances of {shop.key}__2 are protected from scale-in, and will stay"
    assert text in warnings


def test_a_lost_answer_is_an_unknown_outcome(open_shop: Open) -> None:
    shop = open_shop()
    deployment = shop.start("1.4.1")
    step = deployment.phases.first().steps.first()
    target, control = observation.target_ref(deployment.target), RecordingControl()
    kind, spec = specs.kind_of(deployment.target, step.kind), specs.spec_of(deployment, step)
    captured = kind.capture(target, spec, control)
    shop.cloud.fail("autoscaling:CreateAutoScalingGroup", how=Drop(after_effect=True))
    with pytest.raises(Lost):
        kind.apply(target, spec, captured, control)
    assert control.states == {shop.key: OutcomeState.UNKNOWN}
    kind.apply(target, spec, captured, control)
    assert control.states == {shop.key: OutcomeState.UNCHANGED}


def test_a_group_that_somebody_deleted_is_missed_before_anything_is_touched(
    open_shop: Open, wire: Wire
) -> None:
    shop = open_shop()
    succeeded(shop.deploy("1.4.1"))
    bad = succeeded(shop.deploy("1.4.2"))
    shop.autoscaling.delete_auto_scaling_group(
        AutoScalingGroupName=f"{shop.key}__1", ForceDelete=True
    )
    wire.sent.clear()
    failed = shop.scene.roll_back(bad)
    assert (failed.status, failed.code) == (Status.FAILED, "NOT_READY")
    assert f"{shop.key}__1 was deleted by somebody" in failed.message
    assert wire.sent == []


@pytest.mark.parametrize(
    "choices", [{"workflow_type": "CANARY"}, INCREMENTAL], ids=["canary", "by weight"]
)
def test_a_new_group_that_somebody_has_deleted_need_not_come_back(
    open_shop: Open, choices: dict[str, str]
) -> None:
    shop = open_shop(**choices)
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    bad = succeeded(shop.deploy("1.4.2"))
    shop.autoscaling.delete_auto_scaling_group(
        AutoScalingGroupName=f"{shop.key}__2", ForceDelete=True
    )
    succeeded(shop.scene.roll_back(bad))
    assert shop.everything() == before


def test_a_rollback_that_was_aborted_once_the_new_group_was_deleted_may_be_started_again(
    open_shop: Open, wire: Wire
) -> None:
    shop = open_shop(workflow_type="CANARY")
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    bad = succeeded(shop.deploy("1.4.2"))
    rollback = shop.scene.confirm(bad)

    def abort(operation: str) -> None:
        if operation == "delete_auto_scaling_group":
            wire.calm()
            actions.abort(rollback, shop.scene.engineer, timezone.now())

    wire.after = abort
    assert finish(rollback).status == Status.ABORTED
    succeeded(shop.scene.roll_back(bad))
    assert shop.everything() == before


def test_at_its_default_pace_aws_throttles_nothing(
    open_shop: Open, cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SharedPace, "take", PACED)
    shop = open_shop()
    cloud.throttling(True)
    try:
        succeeded(shop.deploy("1.4.1"))
        bad = succeeded(shop.deploy("1.4.2"))
        succeeded(shop.scene.roll_back(bad))
        assert cloud.throttled == 0
    finally:
        cloud.throttling(False)
