"""A shop on hosts that are a dictionary."""

from tests.engine.conftest import fleet, live_shop, shop, still_pulse

__all__ = ["fleet", "live_shop", "shop", "still_pulse"]
