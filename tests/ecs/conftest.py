"""The whole engine on ECS services of the suite's own cloud."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rollbacks import execution
from rollbacks.platforms import waits
from rollbacks.platforms.aws import limits
from tests.aws.cloud import FakeCloud
from tests.aws.conftest import read_once
from tests.aws.wire import Wire, tapped
from tests.ecs.shop import Shop, shop_in

__all__ = ["read_once"]  # a fixture

Open = Callable[..., Shop]


@pytest.fixture(scope="session")
def cloud() -> Iterator[FakeCloud]:
    with FakeCloud() as running:
        yield running


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes minutes on AWS takes hundredths of a second here."""
    monkeypatch.setattr(waits, "POLL_SECONDS", 0.03)
    monkeypatch.setattr(waits, "LONGEST_POLL_SECONDS", 0.1)
    monkeypatch.setattr(waits, "ASKED_AFTER_SECONDS", 0.3)
    monkeypatch.setattr(execution, "RETRY_SECONDS", 0.05)
    monkeypatch.setitem(limits._LIMITS, "route53", ())  # five a second are few for a test


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    return tapped(monkeypatch)


@pytest.fixture
def open_shop(transactional_db: None, cloud: FakeCloud) -> Open:
    """Opens a shop with a cluster of its own."""

    def start(**choices: Any) -> Shop:
        return shop_in(choices.pop("cloud", cloud), **choices)

    return start
