"""The whole engine on ECS services of the suite's own cloud."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings

from rollbacks import execution
from rollbacks.pacing import SharedPace
from rollbacks.platforms import waits
from tests.aws.cloud import FakeCloud
from tests.aws.wire import Wire, tapped
from tests.ecs.shop import Shop, shop_in

Open = Callable[..., Shop]
PACED = SharedPace.take


@pytest.fixture(scope="session")
def cloud() -> Iterator[FakeCloud]:
    with FakeCloud() as running:
        yield running


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes minutes on AWS takes hundredths of a second here, and nobody else asks; a lease
    lasts however slow the machine is."""
    monkeypatch.setattr(SharedPace, "take", lambda *asked: 0.0)
    monkeypatch.setattr(settings, "LEASE_SECONDS", 300)
    monkeypatch.setattr(waits, "POLL_SECONDS", 0.03)
    monkeypatch.setattr(waits, "LONGEST_POLL_SECONDS", 0.1)
    monkeypatch.setattr(waits, "ASKED_AFTER_SECONDS", 0.3)
    monkeypatch.setattr(execution, "RETRY_SECONDS", 0.05)


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    return tapped(monkeypatch)


@pytest.fixture
def open_shop(transactional_db: None, cloud: FakeCloud) -> Open:
    """Opens a shop with a cluster of its own."""

    def start(**choices: Any) -> Shop:
        return shop_in(choices.pop("cloud", cloud), **choices)

    return start
