"""Deploy A, deploy B, roll back: the hosts themselves are asked what became of them."""

import time

import pytest
from django.utils import timezone

from dashboard.models import Instance, Status, Step
from rollbacks import actions, execution, observation
from tests.hosts.conftest import Start, definition
from tests.scene import revise


@pytest.mark.parametrize("count", [1, 3, 30])
def test_every_host_is_byte_for_byte_as_before(shop_of: Start, count: int) -> None:
    shop = shop_of(count, restart_command="echo restarted")
    assert shop.deploy("1.4.1").status == Status.SUCCEEDED
    before = shop.trees()
    bad = shop.deploy("1.4.2")
    assert bad.status == Status.SUCCEEDED, bad.message
    assert shop.trees() != before
    rollback = shop.scene.roll_back(bad, note="prices are zero")
    assert (rollback.status, rollback.code) == (Status.SUCCEEDED, "VERIFIED"), rollback.message
    assert shop.trees() == before
    assert [each["verdict"] for each in rollback.after["instances"]] == ["ROLLED_BACK"] * count
    assert set(Instance.objects.values_list("version", flat=True)) == {"1.4.1"}


def test_a_hung_host_holds_up_nobody_is_named_and_a_retry_finishes_it(shop_of: Start) -> None:
    shop = shop_of(4, connector={"connect_timeout": 2, "command_timeout": 5}, timeout=6)
    shop.deploy("1.4.1")
    before = shop.trees()
    bad = shop.deploy("1.4.2")
    hung = shop.fleet.hosts[1]
    shop.fleet.pause(hung)
    began = time.monotonic()
    failed = shop.scene.roll_back(bad)
    assert time.monotonic() - began < 20
    assert failed.status == Status.FAILED
    assert hung in failed.message
    others = [host for host in shop.fleet.hosts if host != hung]
    assert {host: shop.fleet.tree(host) for host in others} == {
        host: before[host] for host in others
    }
    verdicts = {each["key"]: each["verdict"] for each in failed.after["instances"]}
    assert verdicts == {hung: "UNKNOWN"} | dict.fromkeys(others, "ROLLED_BACK")
    step = Step.objects.get(phase__deployment=failed)
    states = {key: outcome["state"] for key, outcome in step.outcomes.items()}
    assert states == {hung: "UNKNOWN"} | dict.fromkeys(others, "DONE")
    shop.fleet.resume(hung)
    again = shop.scene.roll_back(bad)
    assert again.status == Status.SUCCEEDED, again.message
    assert shop.trees() == before


def test_a_host_whose_key_changed_is_refused_and_nothing_is_sent(shop_of: Start) -> None:
    shop = shop_of(3)
    shop.deploy("1.4.1")
    before = shop.trees()
    bad = shop.deploy("1.4.2")
    changed = shop.fleet.hosts[2]
    left = shop.fleet.tree(changed)
    shop.fleet.rekey(changed)
    failed = shop.scene.roll_back(bad)
    assert failed.status == Status.FAILED
    assert changed in failed.message
    assert "host key" in failed.message
    assert shop.fleet.tree(changed) == left
    others = [host for host in shop.fleet.hosts if host != changed]
    assert {host: shop.fleet.tree(host) for host in others} == {
        host: before[host] for host in others
    }


def test_a_deployment_onto_a_host_that_hangs_touches_none(
    shop_of: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution, "RETRY_SECONDS", 0.1)
    shop = shop_of(3, connector={"connect_timeout": 1, "command_timeout": 3})
    shop.deploy("1.4.1")
    before = shop.trees()
    shop.fleet.pause(shop.fleet.hosts[0])
    failed = shop.deploy("1.4.2")
    shop.fleet.resume(shop.fleet.hosts[0])
    assert (failed.status, failed.code) == (Status.FAILED, "NOT_SEEN")
    assert "Nothing was touched" in failed.message
    assert shop.trees() == before


def test_a_deployment_whose_health_check_fails_undoes_itself(shop_of: Start) -> None:
    check = {"command": "grep -q 1.4.1 current/index.html"}
    shop = shop_of(3, health_check=check, health_timeout=1)
    assert shop.deploy("1.4.1").status == Status.SUCCEEDED
    before = shop.trees()
    bad = shop.deploy("1.4.2")
    assert (bad.status, bad.code) == (Status.FAILED, "ROLLED_BACK"), bad.message
    assert shop.trees() == before


def test_a_failed_first_deployment_leaves_no_trace(shop_of: Start) -> None:
    shop = shop_of(2, restart_command="exit 3")
    before = shop.trees()
    assert shop.deploy("1.4.1").code == "ROLLED_BACK"
    assert shop.trees() == before


def test_A68_with_a_changed_fleet_the_hosts_first_deployed_to_are_rolled_back(
    shop_of: Start,
) -> None:
    shop = shop_of(4)
    everyone = shop.fleet.infrastructure
    infrastructure = shop.scene.infrastructure
    infrastructure.settings = {**everyone, "hosts": everyone["hosts"][:3]}
    infrastructure.save()
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")
    infrastructure.settings = {**everyone, "hosts": everyone["hosts"][1:]}
    infrastructure.save()
    rollback = shop.scene.roll_back(bad)
    assert rollback.status == Status.SUCCEEDED, rollback.message
    shown = {host: shop.fleet.link(host) or "" for host in shop.fleet.hosts}
    first, second, third, new = shop.fleet.hosts
    assert shown[first].endswith("1.4.2")
    assert shown[second].endswith("1.4.1")
    assert shown[third].endswith("1.4.1")
    assert shown[new] == ""


def test_A70_a_terminated_host_goes_and_an_unreachable_one_stays(shop_of: Start) -> None:
    shop = shop_of(3, connector={"connect_timeout": 1, "command_timeout": 2})
    shop.deploy("1.4.1")
    gone, silent, alive = shop.fleet.hosts
    infrastructure = shop.scene.infrastructure
    hosts = [each for each in infrastructure.settings["hosts"] if each["name"] != gone]
    infrastructure.settings = {**infrastructure.settings, "hosts": hosts}
    infrastructure.save()
    shop.fleet.pause(silent)
    observation.sync(shop.scene.target, timezone.now())
    shop.fleet.resume(silent)
    assert set(Instance.objects.values_list("key", "version")) == {
        (silent, "1.4.1"),
        (alive, "1.4.1"),
    }
    assert "1 of 2 instances gave no answer" in shop.scene.target.sync_error


def test_A17_the_edited_rollback_steps_run(shop_of: Start) -> None:
    shop = shop_of(2)
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")
    document = definition()
    document["phases"][0]["rollback_steps"] = [
        {"undo": "Install"},
        {
            "name": "Tell",
            "kind": "ssh.script",
            "settings": {"command": 'echo "$LASTGOOD_DIRECTION" > "$HOME/told"'},
        },
    ]
    revise(shop.scene.workflow, document)
    rollback = shop.scene.roll_back(bad)
    assert rollback.status == Status.SUCCEEDED, rollback.message
    told = [path.read_text() for path in shop.artifacts.rglob("told")]
    assert told == ["rollback\n"] * 2


def test_two_clicks_at_once_are_one_rollback(shop_of: Start) -> None:
    shop = shop_of(1)
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")
    first = shop.scene.confirm(bad)
    with pytest.raises(actions.Refused):
        shop.scene.confirm(bad)
    assert first.rolls_back == bad
