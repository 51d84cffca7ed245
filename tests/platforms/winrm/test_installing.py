"""What a host gets, step by step, and what is said where it cannot."""

import threading
from typing import Any

import pytest

from rollbacks.platforms.artifacts import payload
from rollbacks.platforms.base import Done, OutcomeState, PlatformError, Running
from rollbacks.platforms.winrm import Winrm
from tests.platforms.winrm.conftest import Shop, shop_for
from tests.winrm.host import Fleet
from tests.winrm.host.shells import Call, Lost
from tests.winrm.shop import ROOT, THINGS

FOLDER = f"{ROOT}\\storefront"


@pytest.mark.parametrize("thing", THINGS)
def test_a_release_comes_and_goes(fleet: Fleet, thing: str) -> None:
    shop = shop_for(fleet, thing)
    bare = shop.everything()
    assert shop.deploy("1-1.4.0") == Done("1 hosts")
    tree = shop.host.windows.disk.tree(ROOT)
    assert tree[f"{FOLDER}\\release-1-1.4.0\\index.html"] == b"<p>1.4.0</p>"
    assert set(tree) >= {ROOT, FOLDER, f"{FOLDER}\\release-1-1.4.0\\bin\\Worker.exe"}
    assert not [each for each in tree if "@" in each], "nothing stands there for a while any more"
    assert shop.control.states == {"web-1": OutcomeState.DONE}
    seen = Winrm().observe(shop.target).instances[0]
    assert (seen.version, seen.is_healthy) == ("1.4.0", True)
    assert shop.roll_back("1-1.4.0") == Done("1 hosts")
    assert shop.everything() == bare, "also the directories that were made"


def test_a_virtual_directory(fleet: Fleet) -> None:
    shop = shop_for(fleet)
    shop.infrastructure = {"site": "Shop-Blue", "virtual_directory": "/files"}
    site = shop.host.windows.sites["Shop-Blue"]
    site.paths["/", "/files"] = "C:\\inetpub\\files"
    shop.host.windows.disk.make("C:\\inetpub\\files")
    shop.deploy("1-1.4.0")
    assert site.paths["/", "/files"] == f"{FOLDER}\\release-1-1.4.0"
    assert site.paths["/", "/"] == "C:\\inetpub\\blue"
    shop.roll_back("1-1.4.0")
    assert site.paths["/", "/files"] == "C:\\inetpub\\files"


def test_the_arguments_of_a_service_stay_its_own(fleet: Fleet) -> None:
    shop = shop_for(fleet, "service")
    shop.infrastructure["arguments"] = '--queue "a b" --host {name}'
    shop.deploy("1-1.4.0")
    service = shop.host.windows.services["Worker-Blue"]
    program = f"{FOLDER}\\release-1-1.4.0\\bin\\Worker.exe"
    assert service.path == f'"{program}" --queue "a b" --host web-1'
    assert service.running == service.path


def test_a_second_call_changes_nothing(shop: Shop) -> None:
    shop.deploy("1-1.4.0")
    shop.host.shells.calls.clear()
    assert isinstance(shop.deploy("1-1.4.0"), Done)
    assert shop.host.shells.changes() == []
    shop.roll_back("1-1.4.0")
    shop.host.shells.calls.clear()
    assert isinstance(shop.roll_back("1-1.4.0"), Done)
    assert shop.host.shells.changes() == []
    assert shop.control.states == {"web-1": OutcomeState.UNCHANGED}


def test_an_upload_goes_on_where_it_was_cut_off(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payload, "CHUNK", 100)
    sent: list[int] = []

    def lose(call: Call) -> None:
        if call.script == "receive":
            sent.append(call.parameters["Offset"])
            if len(sent) == 3:
                raise Lost

    shop.host.shells.before = lose
    assert isinstance(shop.deploy("1-1.4.0"), Running)
    assert isinstance(shop.deploy("1-1.4.0"), Done)
    assert shop.host.shells.opened == {}
    assert sent == [0, 100, 200, *range(200, sent[-1] + 1, 100)]


def test_an_upload_that_is_not_what_was_sent_is_no_release(shop: Shop) -> None:
    disk = shop.host.windows.disk

    def damage(call: Call) -> None:
        if call.script == "unpack":
            name = f"{FOLDER}\\.release-1-1.4.0@upload"
            disk.write(name, disk.read(name)[:-1] + b"?")

    shop.host.shells.before = damage
    waiting = shop.deploy("1-1.4.0")
    assert isinstance(waiting, Running)
    assert "the checksum of what arrived is not that of the artifact" in waiting.message
    assert set(disk.tree(ROOT)) == {ROOT, FOLDER}
    assert shop.host.windows.sites["Shop-Blue"].paths["/", "/"] == "C:\\inetpub\\blue"
    shop.host.shells.before = lambda call: None
    assert isinstance(shop.deploy("1-1.4.0"), Done)


def test_files_that_are_still_in_use_are_waited_for(shop: Shop) -> None:
    bare = shop.everything()
    shop.deploy("1-1.4.0")
    shop.host.windows.held[f"{FOLDER}\\release-1-1.4.0"] = 1
    waiting = shop.roll_back("1-1.4.0")
    assert isinstance(waiting, Running)
    assert "removing release-1-1.4.0 failed: Access to the path" in waiting.message
    assert shop.host.shells.opened == {}, "a host lets a user have few sessions at once"
    assert isinstance(shop.roll_back("1-1.4.0"), Done)
    assert shop.everything() == bare


def test_a_pool_that_was_stopped_is_stopped_again(shop: Shop) -> None:
    shop.host.windows.pools["Shop-Blue pool"].state = "Stopped"
    bare = shop.everything()
    shop.deploy("1-1.4.0")
    assert shop.host.windows.served(shop.host.production) == (200, "<p>1.4.0</p>")
    shop.roll_back("1-1.4.0")
    assert shop.host.windows.pools["Shop-Blue pool"].state == "Stopped"
    assert shop.everything()["web-1"]["sites"] == bare["web-1"]["sites"]


def test_a_site_that_is_stopped_is_never_well(shop: Shop) -> None:
    shop.host.windows.sites["Shop-Blue"].state = "Stopped"
    with pytest.raises(PlatformError, match=r"web-1: it is Stopped \(tried for 0.1 s\)"):
        shop.deploy("1-1.4.0")


def test_an_infrastructure_that_was_changed_since_is_refused(shop: Shop) -> None:
    shop.deploy("1-1.4.0")
    before = shop.everything()
    shop.infrastructure = {"site": "Shop-Green"}
    with pytest.raises(PlatformError, match="was deployed to the site Shop-Blue from"):
        shop.roll_back("1-1.4.0")
    assert shop.everything() == before


def test_a_previous_release_that_is_gone_is_refused(shop: Shop) -> None:
    shop.deploy("1-1.4.0")
    shop.deploy("2-1.4.1")
    shop.host.windows.disk.delete_directory(f"{FOLDER}\\release-1-1.4.0")
    before = shop.everything()
    with pytest.raises(PlatformError, match="is gone; nothing was changed"):
        shop.roll_back("2-1.4.1")
    assert shop.everything() == before


def test_a_host_that_was_not_captured_is_refused(shop: Shop) -> None:
    shop.captured["1-1.4.0"] = {"hosts": {}}
    with pytest.raises(PlatformError, match="was not looked at before this deployment"):
        shop.roll_back("1-1.4.0")


@pytest.mark.parametrize(
    ("infrastructure", "said"),
    [
        ({"site": "Gone"}, "the site Gone: there is no such site; create it once"),
        ({"site": "Shop-Blue", "application": "/gone"}, "there is no such application"),
        ({"site": "Shop-Blue", "virtual_directory": "/gone"}, "no such virtual directory"),
        ({"windows_service": "Gone", "executable": "a.exe"}, "there is no such Windows service"),
        ({"site": "{nowhere}"}, "web-1 has no variable 'nowhere'"),
    ],
)
def test_what_is_not_there_is_said_before_anything_is_touched(
    shop: Shop, infrastructure: dict[str, Any], said: str
) -> None:
    shop.infrastructure = infrastructure
    with pytest.raises(PlatformError, match=said):
        shop.capture("1-1.4.0")
    assert shop.host.shells.changes() == []


def test_a_health_check_with_an_unknown_variable_is_refused_at_once(shop: Shop) -> None:
    shop.settings["health_check"] = {"url": "http://{address}:{nowhere}/"}
    with pytest.raises(PlatformError, match="has no variable 'nowhere'"):
        shop.capture("1-1.4.0")
    assert shop.host.listener.requests == []


@pytest.mark.parametrize("fleet", [5], indirect=True)
def test_hosts_are_visited_at_the_same_time(shop: Shop) -> None:
    together = threading.Barrier(5)

    def meet(call: Call) -> None:
        if call.script == "unpack":
            together.wait(20)

    for host in shop.fleet.hosts.values():
        host.shells.before = meet
    assert shop.deploy("1-1.4.0") == Done("5 hosts")


@pytest.mark.parametrize("fleet", [3], indirect=True)
def test_a_host_that_fails_keeps_no_other_from_its_release(shop: Shop) -> None:
    windows = shop.fleet.hosts["web-2"].windows
    shop.capture("1-1.4.0")
    del windows.sites["Shop-Blue"]
    with pytest.raises(PlatformError, match="web-2: the site Shop-Blue: there is no such site"):
        shop.deploy("1-1.4.0")
    states = {name: str(each) for name, each in shop.control.states.items()}
    assert states == {"web-1": "DONE", "web-2": "FAILED", "web-3": "DONE"}


def test_one_piece_of_an_upload_is_one_message() -> None:
    """Of half a megabyte, with what base64 adds twice."""
    assert payload.CHUNK * 16 / 9 < 500 * 1024
