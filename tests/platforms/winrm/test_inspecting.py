"""What hosts say of a step before it begins: differences, drift, missing rights."""

import pytest

from rollbacks.platforms.base import Inspection, PlatformError
from rollbacks.platforms.winrm import Winrm
from tests.platforms.winrm.conftest import Shop, shop_for
from tests.winrm.host import Fleet
from tests.winrm.host.fleet import USER
from tests.winrm.host.logins import Principal
from tests.winrm.shop import ROOT

FOLDER = f"{ROOT}\\storefront"


def inspected(shop: Shop, release: str, *, is_undo: bool) -> Inspection:
    step, spec = Winrm.steps[shop.kind], shop.spec(release)
    shop.host.shells.calls.clear()
    found = step.inspect(shop.target, spec, shop.captured[release] if is_undo else None)
    assert shop.host.shells.changes() == [], "it only reads"
    return found


def test_the_exact_difference_in_both_directions(shop: Shop) -> None:
    found = inspected(shop, "1-1.4.0", is_undo=False)
    (difference,) = found.differences
    assert difference.what == "physical path of the site Shop-Blue"
    assert difference.lines == ("-C:\\inetpub\\blue", f"+{FOLDER}\\release-1-1.4.0")
    shop.deploy("1-1.4.0")
    found = inspected(shop, "1-1.4.0", is_undo=True)
    assert found.differences[0].lines == (f"-{FOLDER}\\release-1-1.4.0", "+C:\\inetpub\\blue")
    assert (found.warnings, found.problems) == ((), ())


def test_drift_is_named(shop: Shop) -> None:
    shop.deploy("1-1.4.0")
    shop.host.windows.sites["Shop-Blue"].paths["/", "/"] = "D:\\hotfix"
    (warning,) = inspected(shop, "1-1.4.0", is_undo=True).warnings
    assert warning == (
        "web-1: the physical path of the site Shop-Blue is D:\\hotfix: somebody changed it since. "
        "It will be what it was before the deployment"
    )
    shop.roll_back("1-1.4.0")
    assert shop.host.windows.sites["Shop-Blue"].paths["/", "/"] == "C:\\inetpub\\blue"


def test_a_previous_release_that_is_gone_will_be_sent_again_or_is_a_problem(shop: Shop) -> None:
    shop.deploy("1-1.4.0")
    shop.deploy("2-1.4.1")
    shop.host.windows.disk.delete_directory(f"{FOLDER}\\release-1-1.4.0")
    (problem,) = inspected(shop, "2-1.4.1", is_undo=True).problems
    assert "release-1-1.4.0, which it served before, is gone; deploy that version again" in problem
    shop.earlier = {"1-1.4.0": shop.artifact("1.4.0")}
    found = inspected(shop, "2-1.4.1", is_undo=True)
    (warning,) = found.warnings
    assert "release-1-1.4.0, which it served before, is gone; it will be sent again" in warning
    assert found.problems == ()


def test_a_release_of_which_a_part_is_gone_is_a_problem(fleet: Fleet) -> None:
    shop = shop_for(fleet, "service")
    shop.deploy("1-1.4.0")
    shop.deploy("2-1.4.1")
    shop.earlier = {"1-1.4.0": shop.artifact("1.4.0")}
    shop.host.windows.disk.delete_file(f"{FOLDER}\\release-1-1.4.0\\bin\\Worker.exe")
    (problem,) = inspected(shop, "2-1.4.1", is_undo=True).problems
    assert "Worker.exe, which it served before, is gone; deploy that version again" in problem


@pytest.mark.parametrize("is_undo", [False, True])
def test_missing_rights_are_named(shop: Shop, is_undo: bool) -> None:
    shop.deploy("1-1.4.0")
    shop.host.logins.principals[USER] = Principal(USER, is_administrator=False)
    (problem,) = inspected(shop, "1-1.4.0", is_undo=is_undo).problems
    assert problem.startswith("web-1: the connector's user is not an administrator there")


def test_a_missing_module_is_named(shop: Shop) -> None:
    shop.host.windows.has_iis = False
    (problem,) = inspected(shop, "1-1.4.0", is_undo=False).problems
    assert "IIS with its management tools is not installed there" in problem


def test_a_pool_that_is_off_is_named(shop: Shop) -> None:
    shop.host.windows.pools["Shop-Blue pool"].state = "Stopped"
    (warning,) = inspected(shop, "1-1.4.0", is_undo=False).warnings
    assert "the application pool Shop-Blue pool is Stopped" in warning


@pytest.mark.parametrize("fleet", [2], indirect=True)
def test_a_host_without_an_answer_is_a_warning_beside_the_others(shop: Shop) -> None:
    shop.deploy("1-1.4.0")
    shop.fleet.hosts["web-2"].listener.answers["/wsman"] = 503
    found = inspected(shop, "1-1.4.0", is_undo=True)
    assert [each.instance for each in found.differences] == ["web-1"]
    assert found.warnings[0].startswith("web-2: 127.0.0.1:")
    shop.host.listener.answers["/wsman"] = 503
    with pytest.raises(PlatformError, match="answered 503"):
        inspected(shop, "1-1.4.0", is_undo=True)


def test_a_swap_says_who_serves_and_that_somebody_swapped(fleet: Fleet) -> None:
    shop = shop_for(fleet, "site", "BLUE_GREEN")
    shop.kind = "winrm.swap"
    found = inspected(shop, "1-1.4.0", is_undo=False)
    assert found.differences[0].lines == ("-the site Shop-Blue", "+the site Shop-Green")
    shop.deploy("1-1.4.0")
    found = inspected(shop, "1-1.4.0", is_undo=True)
    assert found.differences[0].lines == ("-the site Shop-Green", "+the site Shop-Blue")
    sites = shop.host.windows.sites
    blue, green = sites["Shop-Blue"], sites["Shop-Green"]
    blue.bindings, green.bindings = green.bindings, blue.bindings
    (warning,) = inspected(shop, "1-1.4.0", is_undo=True).warnings
    assert warning == "web-1: the site Shop-Blue serves already: somebody swapped since"


def test_previews_ask_nobody(fleet: Fleet) -> None:
    shop = shop_for(fleet, "site", "BLUE_GREEN")
    for shop.kind in ("winrm.install", "winrm.stage", "winrm.swap"):
        shop.captured.clear()
        shop.capture("1-1.4.0")
        shop.host.listener.requests.clear()
        step, spec = Winrm.steps[shop.kind], shop.spec("1-1.4.0")
        (forward,) = step.preview(shop.target, spec, None)
        (back,) = step.preview(shop.target, spec, shop.captured["1-1.4.0"])
        assert forward.after == back.before or shop.kind == "winrm.swap"
        assert back.after in ("C:\\inetpub\\blue", "C:\\inetpub\\green", "the site Shop-Blue")
        assert shop.host.listener.requests == []
