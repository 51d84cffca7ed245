"""Trials of the engine under a crowd, on hosts that are a dictionary."""

from tests.engine.conftest import fleet, live_shop

__all__ = ["fleet", "live_shop"]
