"""The doors are tried on hosts that are a dictionary."""

from tests.engine.conftest import canary, fleet, live_shop, shop, still_pulse

__all__ = ["canary", "fleet", "live_shop", "shop", "still_pulse"]
