"""The API of a shop on hosts that are a dictionary."""

import pytest
from pytest_django import Settings

from accounts.models import User
from tests.api.callers import administrator, signed_in
from tests.engine.conftest import canary, fleet, live_shop, shop, still_pulse
from tests.graphql.conftest import Caller
from tests.scene import Scene

__all__ = ["canary", "fleet", "live_shop", "shop", "still_pulse"]


@pytest.fixture(autouse=True)
def _many_calls(settings: Settings) -> None:
    """How often one may call is the transport's subject."""
    settings.API_CALLS_PER_MINUTE = 10_000


@pytest.fixture
def admin(shop: Scene) -> User:
    return administrator()


@pytest.fixture
def api(admin: User) -> Caller:
    """The administrator's calls."""
    return signed_in(admin)
