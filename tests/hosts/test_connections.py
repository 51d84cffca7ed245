"""One execution enters each host once, and notices when a host was away in between."""

import pytest

from dashboard.models import Deployment
from rollbacks import execution
from rollbacks.platforms.ssh import ways
from tests.hosts.conftest import Shop, Start
from tests.hosts.test_blue_green import succeeded


def entries(shop: Shop) -> list[int]:
    return [shop.fleet.log(host).count("Accepted publickey") for host in shop.fleet.hosts]


def roll_back(shop: Shop, bad: Deployment) -> list[int]:
    before = entries(shop)
    succeeded(shop.scene.roll_back(bad))
    return [after - earlier for after, earlier in zip(entries(shop), before, strict=True)]


def test_looks_the_undo_and_the_proof_share_a_connection(shop_of: Start) -> None:
    shop = shop_of(2)
    shop.deploy("1.4.1")
    assert roll_back(shop, shop.deploy("1.4.2")) == [1, 1]


def test_a_connection_that_was_left_for_long_is_not_used_again(
    shop_of: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = shop_of(1)
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")
    monkeypatch.setattr(ways, "IDLE_SECONDS", -1)
    assert roll_back(shop, bad) == [4]


def test_only_so_many_wait(shop_of: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = shop_of(2)
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")
    monkeypatch.setattr(ways, "MOST_IDLE", 1)
    assert sorted(roll_back(shop, bad)) == [1, 4]


def test_a_host_that_was_started_again_in_between_is_entered_again(
    shop_of: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = shop_of(2)
    shop.deploy("1.4.1")
    before = shop.trees()
    bad = shop.deploy("1.4.2")
    require_ready = execution.Execution._require_ready

    def restarted(self: execution.Execution) -> None:
        shop.fleet.stop("web-1")
        shop.fleet.start("web-1")
        require_ready(self)

    monkeypatch.setattr(execution.Execution, "_require_ready", restarted)
    assert roll_back(shop, bad) == [2, 1]
    assert shop.trees() == before


def test_another_key_is_another_way(shop_of: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the worker trusts is read anew by each call, also within an execution."""
    shop = shop_of(1)
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")
    require_ready = execution.Execution._require_ready

    def distrusted(self: execution.Execution) -> None:
        shop.fleet.known_hosts.write_text("")
        require_ready(self)

    monkeypatch.setattr(execution.Execution, "_require_ready", distrusted)
    failed = shop.scene.roll_back(bad)
    assert failed.code == "NOT_READY"
    assert "is not in known_hosts; nothing was sent" in failed.message
