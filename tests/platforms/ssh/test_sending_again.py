"""An earlier release that somebody removed from its hosts is sent to them again."""

import shutil
from typing import Any

import pytest

from rollbacks.platforms.base import Done, PlatformError
from tests.platforms.ssh.conftest import Shop
from tests.platforms.ssh.test_being_cut_off import (
    WAYS,
    Cut,
    killed_after_command,
    next_to,
    runs,
    stopped_before_change,
)

LOST = "releases/1-1.4.0"


def twice_deployed(shop: Shop) -> dict[str, Any]:
    """How all was in between; it is known what the first release was made of."""
    shop.deploy("1-1.4.0")
    before = shop.trees()
    shop.deploy("2-1.4.1")
    shop.earlier = {"1-1.4.0": shop.artifact("1.4.0")}
    return before


def lose(shop: Shop, *hosts: str, is_back: bool = False) -> None:
    """`is_back`: somebody has brought the link back before, by hand, and nothing is restarted."""
    for host in hosts:
        shutil.rmtree(shop.fleet.path(host, LOST))
        if is_back:
            shop.fleet.path(host, "current").unlink()
            shop.fleet.path(host, "current").symlink_to(LOST)


def test_it_is_sent_to_the_hosts_that_lost_it(shop: Shop) -> None:
    before = twice_deployed(shop)
    lose(shop, "web-1", "web-3")
    assert isinstance(shop.roll_back("2-1.4.1"), Done)
    assert shop.trees() == before
    said = {host: "sent again" in each.message for host, each in shop.control.outcomes.items()}
    assert said == {"web-1": True, "web-2": False, "web-3": True}


@pytest.mark.parametrize("shop", [1], indirect=True)
@pytest.mark.parametrize("cut", [stopped_before_change, killed_after_command])
@pytest.mark.parametrize("is_back", [False, True])
def test_cut_off_anywhere_it_is_finished_by_the_next_call(
    shop: Shop, quiet_watch: None, cut: Cut, is_back: bool
) -> None:
    shop.variables["RUNNING"] = str(shop.fleet.directory / "running")
    shop.settings = {"health_timeout": 10, **WAYS["restart and check"]}
    before, number = twice_deployed(shop), 1
    while True:
        lose(shop, "web-1", is_back=is_back)
        is_cut = cut(number, lambda control: shop.roll_back("2-1.4.1", control))
        assert isinstance(shop.roll_back("2-1.4.1"), Done)
        assert shop.trees() == before, f"cut off at {number}"
        assert runs(shop) == [LOST], f"cut off at {number}"
        if not is_cut:
            break
        shop.deploy("2-1.4.1")
        number = next_to(number, cut)
    assert number > 4


@pytest.mark.parametrize("shop", [1], indirect=True)
def test_what_cannot_be_had_is_said_before_anything_is_touched(shop: Shop) -> None:
    twice_deployed(shop)
    lose(shop, "web-1")
    left = shop.trees()
    target, spec, captured = shop.fleet.target(), shop.spec("2-1.4.1"), shop.captured["2-1.4.1"]
    (warning,) = shop.step.inspect(target, spec, captured).warnings
    assert warning == f"web-1: {LOST}, which it ran before, is gone; it will be sent again"
    (shop.artifacts / "1.4.0.zip").unlink()
    (problem,) = shop.step.inspect(target, spec, captured).problems
    assert problem.startswith(f"web-1: {LOST}, which it ran before, is gone and cannot be sent ag")
    assert problem.endswith("1.4.0.zip: No such file or directory.")
    with pytest.raises(PlatformError, match="cannot read the artifact"):
        shop.roll_back("2-1.4.1")
    assert shop.trees() == left


@pytest.mark.parametrize("shop", [1], indirect=True)
def test_an_artifact_that_is_another_one_now_is_not_sent(shop: Shop) -> None:
    twice_deployed(shop)
    lose(shop, "web-1")
    left = shop.trees()
    (shop.artifacts / "1.4.0.zip").write_bytes((shop.artifacts / "1.4.1.zip").read_bytes())
    with pytest.raises(PlatformError, match="not the declared one"):
        shop.roll_back("2-1.4.1")
    assert shop.trees() == left
