"""A cluster of its own for each test."""

from collections.abc import Iterator

import pytest

from .cluster import FakeCluster


@pytest.fixture
def cluster() -> Iterator[FakeCluster]:
    with FakeCluster() as made:
        yield made
