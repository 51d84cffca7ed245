"""An earlier release that somebody removed from its hosts is sent to them again."""

import pytest

from rollbacks.platforms.base import Done, PlatformError
from tests.platforms.winrm.conftest import Shop, shop_for
from tests.platforms.winrm.test_being_cut_off import BETWEEN, cut
from tests.winrm.host import Fleet
from tests.winrm.shop import ROOT, THINGS

LOST = f"{ROOT}\\storefront\\release-1-1.4.0"


def twice_deployed(shop: Shop) -> dict[str, object]:
    """How all was in between; the first release is gone now, and it is known what it was."""
    shop.deploy("1-1.4.0")
    before = shop.everything()
    shop.deploy("2-1.4.1")
    shop.earlier = {"1-1.4.0": shop.artifact("1.4.0")}
    return before


def lose(shop: Shop) -> None:
    for host in shop.fleet.hosts.values():
        host.windows.disk.delete_directory(LOST)


@pytest.mark.parametrize("thing", THINGS)
def test_it_is_sent_again(fleet: Fleet, thing: str) -> None:
    shop = shop_for(fleet, thing)
    before = twice_deployed(shop)
    lose(shop)
    assert isinstance(shop.roll_back("2-1.4.1"), Done)
    assert shop.everything() == before
    assert "was gone and was sent again" in shop.control.outcomes["web-1"].message


@pytest.mark.parametrize("is_back", [False, True])
def test_cut_off_anywhere_it_is_finished_by_the_next_call(
    shop: Shop, quiet_watch: None, is_back: bool
) -> None:
    """`is_back`: somebody has brought the path back before, by hand."""
    before, number = twice_deployed(shop), BETWEEN - 1 if is_back else 1
    path = shop.host.windows.sites["Shop-Blue"].paths
    while True:
        lose(shop)
        if is_back:
            path["/", "/"] = LOST
        is_cut = cut(shop, number, "roll_back", "2-1.4.1")
        assert isinstance(shop.roll_back("2-1.4.1"), Done)
        assert shop.everything() == before, f"cut off at {number}"
        if not is_cut:
            break
        shop.deploy("2-1.4.1")
        number += BETWEEN
    assert number > 9


def test_what_leads_elsewhere_is_not_mistaken_for_a_release(shop: Shop) -> None:
    disk = shop.host.windows.disk
    elsewhere = "D:\\other\\release-1-1.4.0"
    disk.make(elsewhere)
    shop.host.windows.sites["Shop-Blue"].paths["/", "/"] = elsewhere
    shop.deploy("2-1.4.1")
    shop.earlier = {"1-1.4.0": shop.artifact("1.4.0")}
    disk.delete_directory(elsewhere)
    with pytest.raises(PlatformError, match="is gone; nothing was changed"):
        shop.roll_back("2-1.4.1")
    assert not disk.has_directory(LOST)
