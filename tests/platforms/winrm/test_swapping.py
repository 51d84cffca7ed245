"""Blue/green on one host: bindings of two sites, start modes of two services."""

from typing import Any

import pytest

from rollbacks.platforms.base import Done, OutcomeState, PlatformError
from rollbacks.platforms.winrm import Winrm
from tests.platforms.winrm.conftest import Shop, shop_for
from tests.winrm.host import Fleet
from tests.winrm.host.shells import Call


@pytest.fixture
def sites(fleet: Fleet) -> Shop:
    shop = shop_for(fleet, "site", "BLUE_GREEN")
    shop.kind = "winrm.swap"
    return shop


@pytest.fixture
def services(fleet: Fleet) -> Shop:
    shop = shop_for(fleet, "service", "BLUE_GREEN")
    shop.kind = "winrm.swap"
    return shop


def bindings(shop: Shop, name: str) -> list[dict[str, Any]]:
    return shop.host.windows.sites[name].bindings


def test_bindings_are_exchanged_and_come_back_exactly(sites: Shop) -> None:
    blue = bindings(sites, "Shop-Blue")
    blue += [
        {"protocol": "https", "information": "*:443:shop.example.com", "flags": 1},
        {"protocol": "net.tcp", "information": "808:*", "flags": 0},
    ]
    before = sites.everything()
    green = bindings(sites, "Shop-Green")
    assert isinstance(sites.deploy("1-1.4.0"), Done)
    assert bindings(sites, "Shop-Green") == blue
    assert bindings(sites, "Shop-Blue") == green
    assert sites.host.shells.changes() == ["swap_bindings"], "one commit"
    assert Winrm().observe(sites.target).instances[0].identity == "C:\\inetpub\\green"
    assert isinstance(sites.roll_back("1-1.4.0"), Done)
    assert sites.everything() == before
    assert isinstance(sites.roll_back("1-1.4.0"), Done)
    assert sites.control.states == {"web-1": OutcomeState.UNCHANGED}


def test_of_two_services_never_both_run(services: Shop) -> None:
    before = services.everything()
    running: list[int] = []

    def count(call: Call) -> None:
        states = [each.state for each in services.host.windows.services.values()]
        running.append(states.count("Running"))

    services.host.shells.after = count
    services.deploy("1-1.4.0")
    blue, green = services.host.windows.services.values()
    assert (blue.state, blue.mode, green.state, green.mode) == (
        "Stopped", "Manual", "Running", "Auto",
    )  # fmt: skip
    services.roll_back("1-1.4.0")
    assert services.everything() == before
    assert set(running) == {0, 1}


def test_a_service_that_is_staged_stays_off(services: Shop) -> None:
    services.kind = "winrm.stage"
    services.deploy("1-1.4.0")
    blue, green = services.host.windows.services.values()
    assert (blue.state, green.state) == ("Running", "Stopped")
    assert "release-1-1.4.0" in green.path


@pytest.mark.parametrize("kind", ["winrm.stage", "winrm.install"])
def test_what_somebody_swapped_meanwhile_gets_no_release(sites: Shop, kind: str) -> None:
    sites.kind = kind
    sites.capture("1-1.4.0")
    windows = sites.host.windows.sites
    blue, green = windows["Shop-Blue"], windows["Shop-Green"]
    blue.bindings, green.bindings = green.bindings, blue.bindings
    before = sites.everything()
    with pytest.raises(PlatformError, match="somebody swapped the site"):
        sites.deploy("1-1.4.0")
    assert sites.everything() == before


def test_what_serves_must_be_well_after_the_swap(sites: Shop) -> None:
    sites.settings["health_check"] = {"url": "http://{address}:{production}/"}
    with pytest.raises(PlatformError, match="health check answered 404, expected 200"):
        sites.deploy("1-1.4.0")


def test_without_a_pair_there_is_no_blue_green(fleet: Fleet) -> None:
    shop = shop_for(fleet)
    for shop.kind in ("winrm.stage", "winrm.swap"):
        with pytest.raises(PlatformError, match="blue/green needs a second one to swap with"):
            shop.capture("1-1.4.0")


@pytest.mark.parametrize("serving", ["neither", "both"])
def test_who_serves_must_be_plain(sites: Shop, serving: str) -> None:
    windows = sites.host.windows
    windows.sites["Shop-Blue"].bindings = (
        [] if serving == "neither" else list(windows.sites["Shop-Blue"].bindings)
    )
    if serving == "both":
        windows.sites["Shop-Green"].bindings += windows.sites["Shop-Blue"].bindings
    with pytest.raises(PlatformError, match="one must have the binding"):
        sites.capture("1-1.4.0")
    assert Winrm().observe(sites.target).instances[0].identity is None


def test_of_services_that_are_all_off_the_one_that_starts_by_itself_serves(services: Shop) -> None:
    services.host.windows.services["Worker-Blue"].state = "Stopped"
    seen = Winrm().observe(services.target).instances[0]
    assert seen.identity == '"C:\\Worker\\old.exe"'
    assert seen.is_healthy is False
    services.host.windows.services["Worker-Green"].mode = "Auto"
    with pytest.raises(PlatformError, match="one must run, or start by itself"):
        services.capture("1-1.4.0")


def test_a_pair_that_was_renamed_since_is_refused(sites: Shop) -> None:
    sites.deploy("1-1.4.0")
    sites.host.windows.add_site("Other", "C:\\other")
    sites.infrastructure["stage_site"] = "Other"
    with pytest.raises(PlatformError, match="which the infrastructure no longer says"):
        sites.roll_back("1-1.4.0")
