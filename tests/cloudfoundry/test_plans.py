"""What the plan says would fail does fail, in Cloud Foundry's own words, where nobody asks it."""

from typing import Any

import pytest

from rollbacks.platforms.base import Inspection
from rollbacks.platforms.pcf.resize import Resize
from rollbacks.platforms.pcf.setup import Setup
from tests.nightly import IS_NIGHTLY

from .conftest import Open
from .foundation import FakeFoundation
from .shop import SMALL, Shop
from .test_every_type import DOWNSIZED, succeeded
from .test_troubles import failed_and_back, inspected, said
from .wire import Wire

Choices = dict[str, Any]
RATED: Choices = {"manifest": {**SMALL, "log-rate-limit-per-second": "1K"}}
# What a quota allows once a version runs; what the plan says, and what the Cloud Controller says,
# each of an organization and of a space.
QUOTAS: dict[str, tuple[Choices, str, int, str, str, str]] = {
    "memory": (
        {},
        "memory",
        200,
        "there would be 256 MB of memory; the quota of the {0} allows 200, and 128 are there now",
        "memory quota_exceeded",
        "memory space_quota_exceeded",
    ),
    "instances": (
        {},
        "instances",
        3,
        "there would be 4 instances; the quota of the {0} allows 3, and 2 are there now",
        "app_instance_limit app_instance_limit_exceeded",
        "app_instance_limit space_app_instance_limit_exceeded",
    ),
    "a large instance": (
        {},
        "each",
        32,
        "An instance of web takes 64 MB of memory, and the quota of the {0} allows 32",
        "memory instance_memory_limit_exceeded",
        "memory space_instance_memory_limit_exceeded",
    ),
    "logs": (
        RATED,
        "log_rate",
        3000,
        "would be 4096 bytes of logs a second; the quota of the {0} allows 3000, and 2048 are",
        "log_rate_limit exceeds organization log rate quota",
        "log_rate_limit exceeds space log rate quota",
    ),
    "logs without a limit": (
        {},
        "log_rate",
        3000,
        "Instances of web log without a limit, which the quota of the {0} does not allow",
        "log_rate_limit cannot be unlimited in organization",
        "log_rate_limit cannot be unlimited in space",
    ),
    "routes": (
        {},
        "routes",
        1,
        "there would be 2 routes; the quota of the {0} allows 1, and 1 are there now",
        "Routes quota exceeded for organization",
        "Routes quota exceeded for space",
    ),
}
BY_DAY = (("memory", False), ("a large instance", True), ("logs", False), ("routes", True))


def forget_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    for step in (Setup, Resize):
        monkeypatch.setattr(step, "inspect", lambda *asked: Inspection())


@pytest.mark.parametrize(
    ("name", "of_space"),
    [(name, of_space) for name in QUOTAS for of_space in (False, True)] if IS_NIGHTLY else BY_DAY,
)
def test_a_quota_without_room_is_a_problem_before_anything_is_touched(
    open_shop: Open,
    foundation: FakeFoundation,
    wire: Wire,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    of_space: bool,
) -> None:
    choices, limit, most, problem, *words = QUOTAS[name]
    place = foundation.space(**({"space_instances": 100} if of_space else {}))
    shop = open_shop(place=place, **choices)
    succeeded(shop.deploy("1.4.1"))
    if limit == "routes":
        shop.wants_a_route()
    foundation.limit(place, **{f"space_{limit}" if of_space else limit: most})
    before = shop.everything()
    wire.sent.clear()
    deployment = shop.deploy("1.4.2")
    assert deployment.code == "NOT_READY", deployment.message
    where = f"space {place.space_name}" if of_space else f"organization {place.org_name}"
    assert problem.format(where) in said(deployment)
    assert wire.sent == []
    forget_to_ask(monkeypatch)
    assert words[of_space] in said(failed_and_back(shop.deploy("1.4.3")))
    assert shop.everything() == before


@pytest.mark.parametrize(
    ("choices", "flag", "problem"),
    [
        ({}, "app_scaling", "apps cannot be resized"),
        ({}, "diego_docker", "apps of Docker images cannot run"),
        ({"is_docker": False}, "app_bits_upload", "bits of apps cannot be uploaded"),
        ({}, "route_creation", "routes cannot be made"),
    ],
)
def test_a_feature_that_is_off_is_a_problem_before_anything_is_touched(
    open_shop: Open,
    foundation: FakeFoundation,
    wire: Wire,
    monkeypatch: pytest.MonkeyPatch,
    choices: Choices,
    flag: str,
    problem: str,
) -> None:
    shop = open_shop(**choices)
    foundation.turn_off(flag, "Ask the platform team.")
    deployment = shop.deploy("1.4.1")
    assert deployment.code == "NOT_READY", deployment.message
    told = f"feature {flag} is turned off, so that {problem} (Ask the platform team)"
    assert told in said(deployment)
    assert wire.sent == []
    forget_to_ask(monkeypatch)
    assert "Feature Disabled: Ask the platform team" in said(shop.deploy("1.4.2"))


@pytest.mark.parametrize("flag", ["env_var_visibility", "space_developer_env_var_visibility"])
def test_an_environment_that_nobody_may_read_is_a_problem(
    open_shop: Open, foundation: FakeFoundation, wire: Wire, flag: str
) -> None:
    shop = open_shop()
    foundation.turn_off(flag)
    deployment = shop.deploy("1.4.1")
    assert deployment.code == "NOT_READY", deployment.message
    assert f"{flag} is turned off, so that environment variables" in said(deployment)
    assert wire.sent == []


def test_administrators_are_let_past_what_is_off_for_others(
    open_shop: Open, foundation: FakeFoundation
) -> None:
    shop = open_shop(login=foundation.credential("admin"))
    for flag in ("app_scaling", "route_creation", "space_developer_env_var_visibility"):
        foundation.turn_off(flag)
    succeeded(shop.deploy("1.4.1"))
    foundation.turn_off("diego_docker")
    assert "apps of Docker images cannot run" in said(shop.deploy("1.4.2"))


def test_a_suspended_organization_is_a_problem_before_anything_is_touched(
    open_shop: Open, wire: Wire
) -> None:
    shop = open_shop()
    shop.foundation.suspend(shop.place)
    deployment = shop.deploy("1.4.1")
    assert f"The organization {shop.place.org_name} is suspended" in said(deployment)
    assert wire.sent == []


def refused(shop: Shop, wire: Wire, bad: Any) -> str:
    """What keeps a rollback from beginning."""
    problems = " ".join(inspected(shop, bad).problems)
    wire.sent.clear()
    assert shop.scene.roll_back(bad).code == "NOT_READY"
    assert wire.sent == []
    return problems


def test_a_rollback_finds_the_room_that_it_would_lack(open_shop: Open, wire: Wire) -> None:
    shop = open_shop(**DOWNSIZED)
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    bad = succeeded(shop.deploy("1.4.2"))
    shop.foundation.limit(shop.place, memory=200, each=32)
    problems = refused(shop, wire, bad)
    assert "With the old instances back beside the new ones there would be 256 MB" in problems
    assert "An instance of web takes 64 MB of memory" in problems
    shop.foundation.limit(shop.place, memory=256, each=64)
    succeeded(shop.scene.roll_back(bad))
    assert shop.everything() == before


def test_a_rollback_finds_features_that_were_turned_off_since(open_shop: Open, wire: Wire) -> None:
    shop = open_shop()
    succeeded(shop.deploy("1.4.1"))
    bad = succeeded(shop.deploy("1.4.2"))
    shop.foundation.turn_off("diego_docker")
    shop.foundation.turn_off("app_scaling")
    problems = refused(shop, wire, bad)
    assert "apps of Docker images cannot run" in problems
    assert "apps cannot be resized" in problems
    shop.foundation.heal()
    succeeded(shop.scene.roll_back(bad))
