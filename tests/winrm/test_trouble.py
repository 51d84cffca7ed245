"""What other people do meanwhile, rights that are missing, hosts that hang."""

import pytest

from rollbacks.platforms.winrm import access
from tests.engine.faults import finish
from tests.scene import verdicts
from tests.winrm.conftest import Open
from tests.winrm.host.fleet import USER
from tests.winrm.host.logins import Principal
from tests.winrm.shop import Shop
from tests.winrm.test_every_type import succeeded


def test_a_right_that_went_on_one_host_is_named_and_holds_up_no_other(open_shop: Open) -> None:
    shop = open_shop("site")
    succeeded(shop.deploy("1.4.1"))
    earlier = shop.everything()
    bad = succeeded(shop.deploy("1.4.2"))
    bad_everywhere = shop.everything()
    take_rights_on(shop, "web-2")
    failed = shop.scene.roll_back(bad)
    assert failed.status == "FAILED"
    assert "web-2: the connector's user is not an administrator there" in failed.message
    assert verdicts(failed) == {"web-1": "ROLLED_BACK", "web-2": "UNKNOWN"}
    assert shop.everything() == {"web-1": earlier["web-1"], "web-2": bad_everywhere["web-2"]}


def test_a_right_that_went_everywhere_is_named_and_nothing_is_touched(open_shop: Open) -> None:
    shop = open_shop("site")
    succeeded(shop.deploy("1.4.1"))
    bad = succeeded(shop.deploy("1.4.2"))
    before = shop.everything()
    take_rights_on(shop, "web-1", "web-2")
    for host in shop.fleet.hosts.values():
        host.shells.calls.clear()
    failed = shop.scene.roll_back(bad)
    assert failed.status == "FAILED"
    assert "web-1, web-2: the connector's user is not an administrator there" in failed.message
    assert shop.changes() == []
    assert shop.everything() == before


def take_rights_on(shop: Shop, *names: str) -> None:
    for name in names:
        principals = shop.fleet.hosts[name].logins.principals
        principals[USER] = Principal(USER, is_administrator=False)


def test_a_path_that_somebody_changed_is_brought_back_all_the_same(open_shop: Open) -> None:
    shop = open_shop("site")
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    bad = succeeded(shop.deploy("1.4.2"))
    windows = shop.fleet.hosts["web-1"].windows
    windows.disk.make("C:\\hotfix")
    windows.sites["Shop-Blue"].paths["/", "/"] = "C:\\hotfix"
    windows.load("Shop-Blue pool")
    succeeded(shop.scene.roll_back(bad))
    assert shop.everything() == before


def test_a_host_that_hangs_delays_nobody_and_is_rolled_back_when_it_is_back(
    open_shop: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "READ_SECONDS", 0.5)
    shop = open_shop("site", connector={"connect_timeout": 1, "command_timeout": 5})
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    bad = succeeded(shop.deploy("1.4.2"))
    rollback = shop.scene.confirm(bad)
    hanging, other = shop.fleet.hosts["web-1"], shop.fleet.hosts["web-2"]
    # It comes back once the other one has been brought back all the way.
    other.shells.after = lambda call: (
        hanging.listener.paused.set() if call.script == "remove" else None
    )
    hanging.listener.paused.clear()
    done = succeeded(finish(rollback))
    assert verdicts(done) == {"web-1": "ROLLED_BACK", "web-2": "ROLLED_BACK"}
    assert shop.everything() == before
