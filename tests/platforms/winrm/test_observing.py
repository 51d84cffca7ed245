"""What runs now: path, version, pool and service, and who gave no answer."""

import pytest

from rollbacks.platforms.winrm import Winrm
from tests.platforms.winrm.conftest import Shop, shop_for
from tests.winrm.host import Fleet
from tests.winrm.shop import ROOT


@pytest.mark.parametrize("fleet", [2], indirect=True)
def test_each_host_says_what_it_serves(shop: Shop) -> None:
    shop.deploy("7-1.4.0")
    shop.fleet.hosts["web-2"].windows.pools["Shop-Blue pool"].state = "Stopped"
    first, second = Winrm().observe(shop.target).instances
    assert first.identity == f"{ROOT}\\storefront\\release-7-1.4.0"
    assert (first.version, first.is_healthy) == ("1.4.0", True)
    assert first.message.endswith("release-7-1.4.0 (pool Started).")
    assert (second.version, second.is_healthy) == ("1.4.0", False)
    assert "the application pool Shop-Blue pool is Stopped" in second.message
    (only,) = Winrm().observe(shop.target, ["web-2"]).instances
    assert only == second


def test_a_path_that_leads_nowhere_is_not_well(shop: Shop) -> None:
    shop.deploy("7-1.4.0")
    shop.host.windows.disk.delete_directory(f"{ROOT}\\storefront\\release-7-1.4.0")
    (seen,) = Winrm().observe(shop.target).instances
    assert seen.is_healthy is False
    assert "is not there" in seen.message


def test_a_path_with_a_variable_leads_where_windows_says(shop: Shop) -> None:
    """As the site that IIS is installed with has it."""
    shop.host.windows.sites["Shop-Blue"].paths["/", "/"] = "%SystemDrive%\\inetpub\\blue"
    (seen,) = Winrm().observe(shop.target).instances
    assert (seen.identity, seen.is_healthy) == ("%SystemDrive%\\inetpub\\blue", True)


def test_a_service_that_stopped_is_not_well(fleet: Fleet) -> None:
    shop = shop_for(fleet, "service")
    shop.deploy("7-1.4.0")
    shop.host.windows.services["Worker-Blue"].state = "Stopped"
    (seen,) = Winrm().observe(shop.target).instances
    assert (seen.version, seen.is_healthy) == ("1.4.0", False)
    assert "it is Stopped" in seen.message


@pytest.mark.parametrize("fleet", [2], indirect=True)
def test_a_silent_host_hides_no_other(shop: Shop) -> None:
    shop.connector = {"connect_timeout": 1, "command_timeout": 1}
    shop.fleet.hosts["web-1"].listener.paused.clear()
    silent, heard = Winrm().observe(shop.target).instances
    assert (silent.key, silent.identity) == ("web-1", None)
    assert "no answer from" in silent.message
    assert heard.identity == "C:\\inetpub\\blue"
