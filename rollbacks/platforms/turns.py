"""Waiting until all workers together may ask a provider for one more thing."""

import time

from rollbacks.platforms.base import Pace, PlatformError

LONGEST_SECONDS = 20.0  # then it is better to look at everything anew


def take(pace: Pace | None, bucket: str, rate: float, burst: int, what: str) -> None:
    """Returns when it is our turn; PlatformError where that would take too long."""
    if pace is None:
        return
    seconds = pace.take(bucket, rate, burst)
    if seconds > LONGEST_SECONDS:
        raise PlatformError(f"So much is asked that {what} would have to wait {seconds:.0f} s.")
    time.sleep(seconds)
