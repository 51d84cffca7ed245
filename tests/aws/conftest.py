"""One cloud for all tests of this directory: each has its own names in it."""

from collections.abc import Iterator

import botocore.session
import pytest

from tests.aws.cloud import FakeCloud, Timing
from tests.aws.cloud.clients import LOADER


@pytest.fixture(scope="session", autouse=True)
def read_once() -> Iterator[None]:
    """The product's sessions, of which each test has its own, share what botocore has read."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(botocore.session, "create_loader", lambda _: LOADER)
        yield


@pytest.fixture(scope="session")
def cloud() -> Iterator[FakeCloud]:
    with FakeCloud(timing=Timing(slow=0.5)) as running:
        yield running
