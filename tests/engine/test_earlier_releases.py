"""What an undo returns to, and what that was made of: for hosts that have lost it."""

from collections.abc import Callable

import pytest

from dashboard.models import Deployment, Direction
from rollbacks import platforms, specs
from rollbacks.platforms.base import StepSpec
from rollbacks.platforms.ssh import Ssh
from tests.scene import Scene


def undo(deployment: Deployment, *links: str, resolves: bool = True) -> StepSpec:
    """The spec of an undo on hosts with these links in its capture."""
    found = {
        "directory": "/srv/shop",
        "resolves": resolves,
        "has_release": False,
        "has_releases": True,
        "levels": 0,
    }
    hosts = {f"web-{number}": {**found, "link": link} for number, link in enumerate(links)}
    what = ("Undo", "ssh.install", {}, tuple(hosts), Direction.BACK)
    return specs.step_spec(deployment, *what, captured={"hosts": hosts})


@pytest.fixture
def real_steps(shop: Scene, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """What is deployed by the lab is asked about as on real hosts from then on."""
    return lambda: monkeypatch.setitem(platforms.PLATFORMS, "SSH", Ssh())


def test_each_release_that_is_returned_to_is_known_by_its_artifact(
    shop: Scene, real_steps: Callable[[], None]
) -> None:
    first, second, third = (shop.deploy(version) for version in ("1.4.0", "1.4.1", "1.4.2"))
    elsewhere = shop.start("1.4.0", infrastructure=shop.another_infrastructure("old", ["web-9"]))
    real_steps()
    found = undo(
        third,
        f"releases/{first.pk}-1.4.0",
        f"releases/{second.pk}-1.4.1",
        f"releases/{second.pk}-1.4.0",
        f"releases/{elsewhere.pk}-1.4.0",
        "releases/99999999999999999999-1.4.0",
        "/opt/mine",
    ).earlier
    assert {name: each.version for name, each in found.items()} == {
        f"{first.pk}-1.4.0": "1.4.0",
        f"{second.pk}-1.4.1": "1.4.1",
    }
    assert found[f"{first.pk}-1.4.0"].location == "/1.4.0.zip"


def test_a_link_that_led_nowhere_needs_no_artifact(
    shop: Scene, real_steps: Callable[[], None]
) -> None:
    first, second = shop.deploy("1.4.0"), shop.deploy("1.4.1")
    real_steps()
    assert undo(second, f"releases/{first.pk}-1.4.0", resolves=False).earlier == {}
