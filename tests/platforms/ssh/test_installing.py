"""Deploying and rolling back on real sshd."""

import os
from dataclasses import replace

import pytest

from rollbacks.platforms.base import Done, OutcomeState, PlatformError
from tests.platforms.ssh.conftest import Shop

DONE, UNCHANGED, FAILED = OutcomeState.DONE, OutcomeState.UNCHANGED, OutcomeState.FAILED


@pytest.mark.parametrize("shop", [1, 3, 30], indirect=True)
def test_rolling_back_leaves_every_byte_as_it_was(shop: Shop) -> None:
    assert isinstance(shop.deploy("1-1.4.0"), Done)
    before = shop.trees()

    assert isinstance(shop.deploy("2-1.4.1"), Done)
    assert shop.links() == {"releases/2-1.4.1"}
    assert {shop.fleet.read(host, "current/latest.html") for host in shop.fleet.hosts} == {
        "<p>1.4.1</p>"
    }

    assert isinstance(shop.roll_back("2-1.4.1"), Done)
    assert shop.trees() == before
    assert set(shop.control.states.values()) == {DONE}


def test_rolling_back_the_first_deployment_removes_all_that_it_created(shop: Shop) -> None:
    shop.settings = {
        "restart_command": "test -d current/bin",
        "health_check": {"command": "test -d current/bin"},
    }
    before = shop.trees()
    assert not any(before.values())

    assert isinstance(shop.deploy("1-1.4.0"), Done)
    assert isinstance(shop.roll_back("1-1.4.0"), Done)

    assert shop.trees() == before


@pytest.mark.parametrize("shop", [1], indirect=True)
def test_what_others_put_there_is_left_alone(shop: Shop) -> None:
    [host] = shop.fleet.hosts
    shop.deploy("1-1.4.0")
    shop.fleet.path(host, "releases/notes.txt").write_text("mine")

    assert isinstance(shop.roll_back("1-1.4.0"), Done)

    assert set(shop.fleet.tree(host)) == {
        "srv", "srv/shop", "srv/shop/releases", "srv/shop/releases/notes.txt",
    }  # fmt: skip


@pytest.mark.parametrize("shop", [1], indirect=True)
@pytest.mark.parametrize("text", ["../shop-old/v 1'\n", "/", "-n", "releases/../releases"])
def test_any_link_text_comes_back_byte_for_byte(shop: Shop, text: str) -> None:
    [host] = shop.fleet.hosts
    shop.fleet.path(host, "releases").mkdir(parents=True)
    shop.fleet.path(host, "../shop-old/v 1'\n").mkdir(parents=True)
    shop.fleet.path(host, "-n").mkdir()
    os.symlink(text, shop.fleet.path(host, "current"))
    before = shop.trees()

    assert isinstance(shop.deploy("2-1.4.1"), Done)
    assert shop.links() == {"releases/2-1.4.1"}
    assert isinstance(shop.roll_back("2-1.4.1"), Done)

    assert shop.trees() == before


@pytest.mark.parametrize("shop", [1], indirect=True)
def test_a_link_that_led_nowhere_before_leads_nowhere_again(shop: Shop) -> None:
    [host] = shop.fleet.hosts
    shop.fleet.path(host).mkdir(parents=True)
    shop.fleet.path(host, "current").symlink_to("gone")
    before = shop.trees()

    shop.deploy("2-1.4.1")
    assert isinstance(shop.roll_back("2-1.4.1"), Done)

    assert shop.trees() == before


def test_a_second_call_finds_nothing_to_do(shop: Shop) -> None:
    shop.deploy("1-1.4.0")
    shop.deploy("2-1.4.1")
    after = shop.trees()

    def commands() -> dict[str, int]:
        return {host: shop.fleet.log(host).count("Starting session") for host in shop.fleet.hosts}

    before = commands()
    assert isinstance(shop.deploy("2-1.4.1"), Done)
    assert set(shop.control.states.values()) == {DONE}, "it was this deployment's doing"
    assert commands() == {host: count + 1 for host, count in before.items()}, "only looked at"
    assert shop.trees() == after

    shop.roll_back("2-1.4.1")
    assert isinstance(shop.roll_back("2-1.4.1"), Done)
    assert set(shop.control.states.values()) == {UNCHANGED}


def test_a_directory_in_place_of_the_link_is_refused_before_anything_is_touched(shop: Shop) -> None:
    shop.fleet.path("web-2", "current").mkdir(parents=True)
    before = shop.trees()

    with pytest.raises(PlatformError, match=r"web-2: .*current exists and is not a sym") as refused:
        shop.deploy("1-1.4.0")

    assert refused.value.permanent
    assert shop.trees() == before


def test_a_lost_previous_release_is_noticed_before_the_link_is_touched(shop: Shop) -> None:
    shop.deploy("1-1.4.0")
    shop.deploy("2-1.4.1")
    shop.fleet.path("web-2", "releases/1-1.4.0").rename(shop.fleet.root("web-2") / "elsewhere")

    with pytest.raises(PlatformError, match=r"web-2: releases/1-1.4.0, which .* is gone") as lost:
        shop.roll_back("2-1.4.1")

    assert lost.value.permanent
    assert shop.fleet.link("web-2") == "releases/2-1.4.1"
    assert shop.fleet.link("web-1") == shop.fleet.link("web-3") == "releases/1-1.4.0"
    assert shop.control.states == {"web-1": DONE, "web-2": FAILED, "web-3": DONE}


def test_hosts_without_a_capture_or_a_definition_are_named(shop: Shop) -> None:
    target, spec = shop.fleet.target(), shop.spec("1-1.4.0")
    shop.capture("1-1.4.0")

    with pytest.raises(PlatformError, match="web-1 was not looked at before"):
        shop.step.undo(target, spec, {"hosts": {}}, shop.control)
    unknown = replace(spec, instances=("web-9",))
    with pytest.raises(PlatformError, match="web-9: no such host in web hosts"):
        shop.step.capture(target, unknown, shop.control)


def test_only_the_phases_hosts_are_touched(shop: Shop) -> None:
    target, spec = shop.fleet.target(), replace(shop.spec("1-1.4.0"), instances=("web-2",))

    captured = shop.step.capture(target, spec, shop.control)
    assert isinstance(shop.step.apply(target, spec, captured, shop.control), Done)

    assert set(captured["hosts"]) == set(shop.control.states) == {"web-2"}
    assert shop.fleet.link("web-1") is None


def test_a_changed_directory_is_noticed(shop: Shop) -> None:
    shop.deploy("1-1.4.0")
    shop.captured["1-1.4.0"] = {
        "hosts": {
            name: {**found, "directory": "/srv/elsewhere"}
            for name, found in shop.captured["1-1.4.0"]["hosts"].items()
        }
    }

    with pytest.raises(PlatformError, match="was deployed to /srv/elsewhere"):
        shop.roll_back("1-1.4.0")
    assert shop.links() == {"releases/1-1.4.0"}


def test_modes_are_kept_and_odd_names_arrive(shop: Shop) -> None:
    shop.deploy("1-1.4.0")
    host = shop.fleet.hosts[0]
    assert shop.fleet.path(host, "current/bin/start").stat().st_mode & 0o777 == 0o755
    assert shop.fleet.path(host, "current/index.html").stat().st_mode & 0o777 == 0o644

    names = ["a b", "-rf", "quo'te", 'dou"ble', "new\nline", "ünï", "$(x)", "*", "x" * 120 + "/y"]
    artifact = shop.artifact("odd", **dict.fromkeys(names, "x"))
    spec = replace(shop.spec("2-1.4.1"), artifact=artifact)
    shop.capture("2-1.4.1")
    shop.step.apply(shop.fleet.target(), spec, shop.captured["2-1.4.1"], shop.control)

    for name in names:
        assert shop.fleet.read(host, f"current/{name}") == "x"


def test_the_preview_says_what_would_change(shop: Shop) -> None:
    shop.settings = {"restart_command": "echo restarted"}
    shop.deploy("1-1.4.0")
    shop.deploy("2-1.4.1")
    spec = replace(shop.spec("2-1.4.1"), instances=("web-1",))

    link, restart = shop.step.preview(shop.fleet.target(), spec, shop.captured["2-1.4.1"])
    assert (link.what, link.before, link.after) == (
        "current",
        "releases/2-1.4.1",
        "releases/1-1.4.0",
    )
    assert (restart.what, restart.after) == ("restart", "echo restarted")
    link, _ = shop.step.preview(shop.fleet.target(), spec, None)
    assert link.after == "releases/2-1.4.1"
