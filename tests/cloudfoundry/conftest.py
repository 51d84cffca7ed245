"""One foundation for all tests; each has its own organization and space."""

from collections.abc import Iterator

import pytest

from .caller import Caller
from .foundation import FakeFoundation, Place


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
