"""One cloud for all tests of this directory: each has its own names in it."""

from collections.abc import Iterator

import pytest

from tests.aws.cloud import FakeCloud, Timing


@pytest.fixture(scope="session")
def cloud() -> Iterator[FakeCloud]:
    with FakeCloud(timing=Timing(slow=0.5)) as running:
        yield running
