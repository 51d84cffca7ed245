"""Waiting for what the cloud does by itself: asks again and again, as long as a test may last."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

Json = dict[str, Any]
Found = TypeVar("Found")
SECONDS = 30.0


def until(look: Callable[[], Found], seconds: float = SECONDS) -> Found:
    """The first answer that is not empty."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return found
