"""One foundation for all tests; each has its own organization and space."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rollbacks import execution
from rollbacks.platforms import turns, waits
from rollbacks.platforms.pcf import access, api, settings

from .caller import Caller
from .foundation import FakeFoundation, Place
from .shop import Shop, shop_in
from .wire import Wire, tapped

Open = Callable[..., Shop]


@pytest.fixture(scope="session")
def foundation() -> Iterator[FakeFoundation]:
    with FakeFoundation() as running:
        yield running


@pytest.fixture
def place(foundation: FakeFoundation) -> Place:
    return foundation.space()


@pytest.fixture
def caller(foundation: FakeFoundation, place: Place) -> Iterator[Caller]:
    """A developer in that space, and nowhere else."""
    with Caller(foundation, foundation.credential("space_developer", place)) as made:
        yield made


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes minutes on a foundation takes hundredths of a second here."""
    monkeypatch.setattr(waits, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(waits, "LONGEST_POLL_SECONDS", 0.1)
    monkeypatch.setattr(waits, "ASKED_AFTER_SECONDS", 0.3)
    monkeypatch.setattr(api, "PAUSES", (0.02, 0.05))
    monkeypatch.setattr(turns, "take", lambda *asked: None)
    monkeypatch.setattr(settings, "OVERLAP_SECONDS", 0.01)
    monkeypatch.setattr(execution, "RETRY_SECONDS", 0.05)


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    return tapped(monkeypatch)


@pytest.fixture
def open_shop(transactional_db: None, quick: None, foundation: FakeFoundation) -> Iterator[Open]:
    """Opens a shop with a space of its own."""
    opened: list[Shop] = []

    def start(**choices: Any) -> Shop:
        opened.append(shop_in(choices.pop("foundation", foundation), **choices))
        return opened[-1]

    yield start
    for shop in opened:
        shop.somebody.__exit__()
        shop.foundation.heal()
    access.forget()
