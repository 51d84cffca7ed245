"""acceptance.md, by number."""

import pytest

from dashboard.models import Instance
from tests.scene import verdicts
from tests.winrm.conftest import Open
from tests.winrm.shop import ROOT
from tests.winrm.test_every_type import succeeded


@pytest.mark.parametrize("thing", ["site", "application"])
def test_A57_the_physical_path_is_the_previous_release(open_shop: Open, thing: str) -> None:
    shop = open_shop(thing)
    where = ("/", "/") if thing == "site" else ("/api", "/")
    first = succeeded(shop.deploy("1.4.1"))
    second = succeeded(shop.deploy("1.4.2"))
    paths = {host.windows.sites["Shop-Blue"].paths[where] for host in shop.fleet.hosts.values()}
    assert paths == {f"{ROOT}\\storefront\\release-{second.pk}-1.4.2"}
    rollback = succeeded(shop.scene.roll_back(second))
    paths = {host.windows.sites["Shop-Blue"].paths[where] for host in shop.fleet.hosts.values()}
    assert paths == {f"{ROOT}\\storefront\\release-{first.pk}-1.4.1"}
    assert verdicts(rollback) == {"web-1": "ROLLED_BACK", "web-2": "ROLLED_BACK"}
    assert {each.version for each in Instance.objects.all()} == {"1.4.1"}
    for host in shop.fleet.hosts.values():
        assert host.windows.served(host.production, where[0]) == (200, "<p>1.4.1</p>")


def test_A57_a_previous_release_that_is_gone_is_sent_again(open_shop: Open) -> None:
    shop = open_shop("site", hosts=1)
    first = succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    second = succeeded(shop.deploy("1.4.2"))
    disk = shop.fleet.hosts["web-1"].windows.disk
    disk.delete_directory(f"{ROOT}\\storefront\\release-{first.pk}-1.4.1")
    rollback = succeeded(shop.scene.roll_back(second))
    assert verdicts(rollback) == {"web-1": "ROLLED_BACK"}
    assert shop.everything() == before


def test_A57_a_previous_release_that_cannot_be_had_is_said_before_anything_is_changed(
    open_shop: Open,
) -> None:
    shop = open_shop("site", hosts=1)
    first = succeeded(shop.deploy("1.4.1"))
    second = succeeded(shop.deploy("1.4.2"))
    disk = shop.fleet.hosts["web-1"].windows.disk
    disk.delete_directory(f"{ROOT}\\storefront\\release-{first.pk}-1.4.1")
    (shop.artifacts / "1.4.1.zip").unlink()
    before = shop.everything()
    failed = shop.scene.roll_back(second)
    assert (failed.status, failed.code) == ("FAILED", "NOT_READY")
    gone = f"release-{first.pk}-1.4.1, which it served before, is gone and cannot be sent again"
    assert gone in failed.message
    assert "1.4.1.zip: No such file" in failed.message
    assert shop.everything() == before


def test_a_first_deployment_that_fails_goes_back_to_what_was_installed(open_shop: Open) -> None:
    shop = open_shop("site", hosts=1)
    before = shop.everything()
    failed = shop.deploy("1.4.1", page="broken")
    assert failed.status == "FAILED"
    assert "The instances are as they were before" in failed.message
    assert shop.everything() == before


def test_a_canary_that_is_never_well_stops_before_the_other_hosts(open_shop: Open) -> None:
    shop = open_shop("site", "CANARY", hosts=3)
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    for host in shop.fleet.hosts.values():
        host.shells.calls.clear()
    failed = shop.deploy("1.4.2", page="broken")
    assert failed.status == "FAILED"
    assert "health check answered 500, expected 200" in failed.message
    assert [bool(host.shells.changes()) for host in shop.fleet.hosts.values()] == [
        True,
        False,
        False,
    ]
    assert shop.everything() == before


def test_a_stage_that_is_never_well_is_never_swapped(open_shop: Open) -> None:
    shop = open_shop("site", "BLUE_GREEN", hosts=1)
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    shop.fleet.hosts["web-1"].shells.calls.clear()
    failed = shop.deploy("1.4.2", page="broken")
    assert failed.status == "FAILED"
    assert "swap_bindings" not in shop.changes()
    assert shop.everything() == before


def test_a_service_that_does_not_start_is_as_before(open_shop: Open) -> None:
    shop = open_shop("service", hosts=1)
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    failed = shop.deploy("1.4.2", page="broken")
    assert failed.status == "FAILED"
    assert "restarting failed: Cannot start service" in failed.message
    assert shop.everything() == before


def test_phases_by_name_touch_only_those_hosts(open_shop: Open) -> None:
    phases = [
        {
            "name": "One",
            "select": {"hosts": ["web-2"]},
            "steps": [{"name": "Install", "kind": "winrm.install"}],
        }
    ]
    shop = open_shop("site", "CANARY", phases=phases)
    succeeded(shop.deploy("1.4.1"))
    changed = [bool(host.shells.changes()) for host in shop.fleet.hosts.values()]
    assert changed == [False, True]
    assert {each.key: each.version for each in Instance.objects.all()}["web-1"] == ""
