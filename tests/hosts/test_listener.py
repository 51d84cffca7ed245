"""Blue/green on real hosts behind a load balancer of the suite's own AWS."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dashboard.models import Deployment, Status
from rollbacks import execution
from rollbacks.platforms import waits
from tests.aws.cloud import Balancer, Drop, FakeCloud
from tests.aws.wire import Wire, lose_every_answer_once, tapped
from tests.engine.faults import finish
from tests.hosts.conftest import Shop
from tests.hosts.test_blue_green import succeeded
from tests.scene import revise, scene
from tests.sshd import Fleet

Json = dict[str, Any]
# As docs/platforms/ssh.md says that it is enough.
LEAST = [
    "elasticloadbalancing:DescribeListeners",
    "elasticloadbalancing:DescribeRules",
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetHealth",
    "elasticloadbalancing:ModifyListener",
    "elasticloadbalancing:ModifyRule",
    "iam:SimulatePrincipalPolicy",
]


@dataclass
class Fronted(Shop):
    """web-1 is blue and web-2 is green; `arn`: the listener or the rule."""

    cloud: FakeCloud
    balancer: Balancer
    arn: str

    def actions(self) -> Any:
        elb = self.cloud.client("elbv2")
        if self.arn == self.balancer.rule:
            found: Json = elb.describe_rules(RuleArns=[self.arn])["Rules"][0]
            return found["Actions"]
        found = elb.describe_listeners(ListenerArns=[self.arn])["Listeners"][0]
        return found["DefaultActions"]

    def everything(self) -> Json:
        return {"hosts": self.trees(), "actions": self.actions()}


Open = Callable[..., Fronted]


@pytest.fixture(scope="session")
def cloud() -> Iterator[FakeCloud]:
    with FakeCloud() as running:
        yield running


@pytest.fixture
def open_shop(
    transactional_db: None, cloud: FakeCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Open]:
    monkeypatch.setattr(waits, "POLL_SECONDS", 0.03)
    monkeypatch.setattr(waits, "LONGEST_POLL_SECONDS", 0.1)
    monkeypatch.setattr(execution, "RETRY_SECONDS", 0.05)
    with ExitStack() as running:

        def start(part: str = "listener", actions: list[str] = LEAST) -> Fronted:
            fleet = running.enter_context(Fleet(2, tmp_path / "fleet"))
            balancer = cloud.load_balancer("ip")
            for number, group in enumerate(balancer.groups):
                target = {"Id": f"10.0.0.{number + 4}"}
                cloud.client("elbv2").register_targets(TargetGroupArn=group, Targets=[target])
            key, name = tmp_path / "key", cloud.name("SWAPPER").replace("-", "_")
            key.write_text(fleet.private_key)
            monkeypatch.setitem(os.environ, name, written(cloud, actions))
            arn = balancer.rule if part == "rule" else balancer.listener
            made = scene(
                connector=fleet.connector,
                settings={
                    **fleet.infrastructure,
                    "groups": {"blue": ["web-1"], "green": ["web-2"]},
                    "listener": {
                        "listener": arn,
                        "blue": balancer.groups[0],
                        "green": balancer.groups[-1],
                        "region": cloud.region,
                        "endpoint": cloud.endpoint,
                        "credential": f"env:{name}",
                    },
                },
                credential=f"file:{key}",
                workflow_type="BLUE_GREEN",
            )
            return Fronted(fleet, made, tmp_path, cloud, balancer, arn)

        yield start
    cloud.forgive()


def written(cloud: FakeCloud, actions: list[str]) -> str:
    account = cloud.account(actions)
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    return "[default]\n" + "".join(f"{name.lower()} = {account[name]}\n" for name in names)


@pytest.mark.parametrize("part", ["listener", "rule"])
def test_it_does_exactly_again_what_it_did(open_shop: Open, part: str) -> None:
    """The rule divides between both groups, 100 and 0, the listener knows one."""
    shop = open_shop(part)
    succeeded(shop.deploy("1.4.0"))
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    bad = succeeded(shop.deploy("1.4.2"))
    assert shop.actions() != before["actions"]
    succeeded(shop.scene.roll_back(bad))
    assert shop.everything() == before


@pytest.mark.parametrize("after_effect", [False, True])
def test_an_answer_that_is_lost_is_looked_for(open_shop: Open, after_effect: bool) -> None:
    shop = open_shop("rule")
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    lose_every_answer_once(shop.cloud, after_effect=after_effect)
    shop.publish("1.4.2")
    bad = succeeded(finish(shop.scene.start("1.4.2")))
    succeeded(finish(shop.scene.confirm(bad)))
    assert shop.everything() == before


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    return tapped(monkeypatch)


def test_a_worker_that_dies_after_the_switch_leaves_what_its_successor_finds(
    open_shop: Open, wire: Wire
) -> None:
    shop = open_shop()
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    shop.publish("1.4.2")
    deployment = shop.scene.start("1.4.2")
    wire.sent.clear()
    wire.workers_die_after_one_change()
    bad = succeeded(finish(deployment))
    assert wire.sent == ["modify_listener"]
    succeeded(finish(shop.scene.confirm(bad)))
    assert wire.sent == ["modify_listener"] * 2
    assert shop.everything() == before


def test_a_target_group_with_nobody_well_is_never_sent_to(
    open_shop: Open,
) -> None:
    shop = open_shop()
    elb, green = shop.cloud.client("elbv2"), shop.balancer.groups[-1]
    elb.deregister_targets(TargetGroupArn=green, Targets=[{"Id": "10.0.0.5"}])
    before = shop.everything()
    steps = [
        {"name": "Stage", "kind": "ssh.stage"},
        {"name": "Swap", "kind": "ssh.swap", "timeout": 2},
    ]
    revise(shop.scene.workflow, {"phases": [{"name": "Blue/Green", "steps": steps}]})
    bad = shop.deploy("1.4.2")
    assert (bad.status, bad.code) == (Status.FAILED, "ROLLED_BACK"), bad.message
    assert "Target group of green: it has no target" in bad.message
    assert shop.everything() == before


def test_a_missing_right_is_said_before_anything_is_touched(open_shop: Open) -> None:
    shop = open_shop(actions=[each for each in LEAST if "Modify" not in each])
    before = shop.everything()
    failed: Deployment = shop.deploy("1.4.2")
    assert (failed.status, failed.code) == (Status.FAILED, "NOT_READY"), failed.message
    assert "may not elasticloadbalancing:ModifyListener" in failed.message
    assert shop.everything() == before


def test_what_aws_does_not_answer_is_waited_for(open_shop: Open) -> None:
    shop = open_shop()
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    bad = succeeded(shop.deploy("1.4.2"))
    shop.cloud.fail("elbv2:Describe*", times=6, how=Drop())
    rollback = succeeded(finish(shop.scene.confirm(bad)))
    assert rollback.code == "VERIFIED"
    assert shop.everything() == before
