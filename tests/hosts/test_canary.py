"""Canary on real hosts: each phase deploys to its own hosts, and takes back exactly these."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from dashboard.models import Deployment, Direction, Phase, Status
from tests.hosts.conftest import Shop, Start
from tests.scene import verdicts

SHARES = [10, 30, 60, 100]
# Fails on the hosts that $BROKEN names, and only with the release that is bad.
CHECK = 'case " $BROKEN " in *" $LASTGOOD_HOST "*) ! grep -q 1.4.2 current/index.html;; esac'


def canary(broken: str = "", **phase: Any) -> dict[str, Any]:
    step = {"name": "Install", "kind": "ssh.install", "timeout": 60}
    return {
        "variables": [{"name": "BROKEN", "default": broken}],
        "settings": {"health_check": {"command": CHECK}, "health_timeout": 0.5},
        "phases": [
            {"name": f"{share} %", "select": {"percentage": share}, "steps": [step], **phase}
            for share in SHARES
        ],
    }


def hosts_by_phase(deployment: Deployment, direction: Direction) -> list[list[str]]:
    phases = Phase.objects.filter(deployment=deployment, direction=direction)
    return [phase.instances or [] for phase in phases.order_by("position")]


def expected(hosts: Sequence[str]) -> list[list[str]]:
    ends = [math.ceil(len(hosts) * share / 100) for share in SHARES]
    return [list(hosts[begin:end]) for begin, end in zip([0, *ends], ends, strict=False)]


def test_four_phases_over_thirty_hosts_are_rolled_back_last_first(shop_of: Start) -> None:
    shop = shop_of(30, workflow_type="CANARY", document=canary())
    assert shop.deploy("1.4.1").code == "VERIFIED"
    before = shop.trees()
    bad = shop.deploy("1.4.2")
    assert (bad.status, bad.code) == (Status.SUCCEEDED, "VERIFIED"), bad.message
    phases = expected(shop.fleet.hosts)
    assert [len(each) for each in phases] == [3, 6, 9, 12]
    assert hosts_by_phase(bad, Direction.FORWARD) == phases
    rollback = shop.scene.roll_back(bad)
    assert (rollback.status, rollback.code) == (Status.SUCCEEDED, "VERIFIED"), rollback.message
    assert hosts_by_phase(rollback, Direction.BACK) == phases[::-1]
    assert shop.trees() == before
    assert verdicts(rollback) == dict.fromkeys(shop.fleet.hosts, "ROLLED_BACK")


def test_a_phase_that_fails_takes_back_all_that_went_before(shop_of: Start) -> None:
    shop = shop_of(6, workflow_type="CANARY", document=canary("web-3"))
    assert shop.deploy("1.4.1").status == Status.SUCCEEDED
    before = shop.trees()
    bad = shop.deploy("1.4.2")
    assert (bad.status, bad.code) == (Status.FAILED, "ROLLED_BACK"), bad.message
    assert "web-3: health check ended with 1" in bad.message
    assert shop.trees() == before
    undone = hosts_by_phase(bad, Direction.BACK)
    assert undone == expected(shop.fleet.hosts)[2::-1]
    assert verdicts(bad)["web-6"] == "UNTOUCHED"


def test_one_phase_alone_is_taken_back_and_the_earlier_ones_stay(shop_of: Start) -> None:
    document = canary("web-3", failure_strategy="ROLLBACK_PHASE")
    shop = shop_of(6, workflow_type="CANARY", document=document)
    assert shop.deploy("1.4.1").status == Status.SUCCEEDED
    before = shop.trees()
    bad = shop.deploy("1.4.2")
    assert (bad.status, bad.code) == (Status.FAILED, "PHASE_ROLLED_BACK"), bad.message
    runs = {host: (shop.fleet.link(host) or "")[-5:] for host in shop.fleet.hosts}
    assert [host for host in shop.fleet.hosts if runs[host] == "1.4.2"] == shop.fleet.hosts[:2]
    after = shop.trees()
    assert {host: after[host] for host in shop.fleet.hosts[2:]} == {
        host: before[host] for host in shop.fleet.hosts[2:]
    }


def without(*names: str) -> Callable[[Shop], None]:
    def change(shop: Shop) -> None:
        everyone = shop.fleet.infrastructure
        hosts = [each for each in everyone["hosts"] if each["name"] not in names]
        shop.scene.infrastructure.settings = {**everyone, "hosts": hosts}
        shop.scene.infrastructure.save()

    return change


def test_hosts_that_came_and_went_since_are_named_and_left_alone(shop_of: Start) -> None:
    shop = shop_of(8, workflow_type="CANARY", document=canary())
    without("web-8")(shop)
    shop.deploy("1.4.1")
    before = shop.trees()
    bad = shop.deploy("1.4.2")
    after = shop.trees()
    without("web-2", "web-5")(shop)
    rollback = shop.scene.roll_back(bad)
    assert rollback.status == Status.SUCCEEDED, rollback.message
    phases = [[name for name in each if name not in ("web-2", "web-5")]
              for each in expected(shop.fleet.hosts[:7])]  # fmt: skip
    assert hosts_by_phase(rollback, Direction.BACK) == phases[::-1]
    gone = {"web-2": after["web-2"], "web-5": after["web-5"]}
    assert shop.trees() == {**before, **gone}
    assert verdicts(rollback) == {
        **dict.fromkeys((name for each in phases for name in each), "ROLLED_BACK"),
        "web-8": "UNTOUCHED",
    }


def test_by_default_a_quarter_goes_first(shop_of: Start) -> None:
    shop = shop_of(4, workflow_type="CANARY", document={})
    first = shop.deploy("1.4.1")
    assert hosts_by_phase(first, Direction.FORWARD) == [["web-1"], ["web-2", "web-3", "web-4"]]


@pytest.mark.parametrize("workflow_type", ["BASIC", "CANARY"])
def test_A07_basic_and_canary_over_ssh_can_be_rolled_back(
    shop_of: Start, workflow_type: str
) -> None:
    shop = shop_of(2, workflow_type=workflow_type, document={})
    shop.deploy("1.4.1")
    rollback = shop.scene.roll_back(shop.deploy("1.4.2"))
    assert rollback.code == "VERIFIED", rollback.message
    assert {shop.fleet.link(host) or "" for host in shop.fleet.hosts} == {
        f"releases/{rollback.rolls_back.replaces_id}-1.4.1"  # type: ignore[union-attr]
    }
