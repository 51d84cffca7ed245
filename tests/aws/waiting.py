"""Waiting: for what the cloud does by itself, and while the product waits for it."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from rollbacks.platforms import waits
from rollbacks.platforms.base import Control

Json = dict[str, Any]
Found = TypeVar("Found")
SECONDS = 120.0


def until(look: Callable[[], Found], seconds: float = SECONDS) -> Found:
    """The first answer that is not empty."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return found


def gives_up(monkeypatch: pytest.MonkeyPatch, is_so: Callable[[], bool], times: int = 1) -> None:
    """The time limit of the step that waits comes as soon as that is so, for so many steps.

    But not before the product has had one more look, which shows it, too. Asked whenever the
    product would sleep, so a test is as quick as its machine, and no quicker.
    """
    slept, left, was_so = waits.slept, times, False

    def sleeps(control: Control, seconds: float) -> bool:
        nonlocal left, was_so
        if left and was_so:
            left, was_so = left - 1, False
            return False
        was_so = bool(left) and is_so()
        return slept(control, seconds)

    monkeypatch.setattr(waits, "slept", sleeps)
