"""A simulator on its own database, beside the one the other tests use."""

from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker

from rollbacks.simulation import scene
from rollbacks.simulation.database import laboratory
from rollbacks.simulation.schedule import Simulator


@pytest.fixture(autouse=True)
def hints() -> None:
    """The simulation has its own broker, which takes the real hints."""


@pytest.fixture(scope="package")
def simulator(django_db_blocker: DjangoDbBlocker) -> Iterator[Simulator]:
    """With every start already made, so that a test's own bug has no part in it."""
    with django_db_blocker.unblock(), laboratory() as shelf:
        made = Simulator(shelf)
        for shape in scene.SHAPES:
            for start in scene.Start:
                made.prepared(shape, start)
        yield made
