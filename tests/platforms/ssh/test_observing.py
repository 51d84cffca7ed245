"""What the platform says of itself, and sees on hosts."""

import pytest

from rollbacks.platforms.base import PlatformError
from tests.platforms.ssh.conftest import Shop


def test_every_host_shows_its_version_and_a_silent_one_says_so(shop: Shop) -> None:
    shop.deploy("41-1.4.0-rc.1")
    shop.fleet.path("web-2", "current").unlink()
    shop.fleet.stop("web-3")

    one, two, three = shop.platform.observe(shop.fleet.target()).instances

    assert (one.key, one.identity, one.version) == ("web-1", "releases/41-1.4.0-rc.1", "1.4.0-rc.1")
    assert one.is_healthy is True
    assert (two.identity, two.version) == ("", "")
    assert three.identity is None
    assert "web-3: 127.0.0.1" in three.message


def test_a_link_that_leads_nowhere_is_ill(shop: Shop) -> None:
    shop.deploy("41-1.4.0")
    shop.fleet.path("web-1", "releases/41-1.4.0").rename(shop.fleet.root("web-1") / "gone")

    [seen] = shop.platform.observe(shop.fleet.target(), ["web-1"]).instances

    assert seen.is_healthy is False
    assert seen.identity == "releases/41-1.4.0"


def test_a_link_that_is_none_of_ours_has_an_identity_and_no_version(shop: Shop) -> None:
    shop.fleet.path("web-1").mkdir(parents=True)
    shop.fleet.path("web-1", "current").symlink_to("/")
    [seen] = shop.platform.observe(shop.fleet.target(), ["web-1"]).instances
    assert (seen.identity, seen.version) == ("/", "")


def test_a_phase_without_a_selection_takes_every_host(shop: Shop) -> None:
    assert shop.platform.select(shop.fleet.target(), {}) == ("web-1", "web-2", "web-3")
    with pytest.raises(PlatformError, match="selects either hosts"):
        shop.platform.select(shop.fleet.target(), {"percent": 50})
