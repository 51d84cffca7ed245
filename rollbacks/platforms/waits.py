"""Waiting for what a platform does by itself: few requests, and people read what is waited for.

What stands in the way is asked for only where nothing moves.
"""

import time
from collections.abc import Callable, Mapping

from rollbacks.platforms.base import Control, InstanceOutcome, OutcomeState, Running

FIRST_POLL_SECONDS = 0.5  # what is soon done is not waited for much longer
POLL_SECONDS = 2.0  # at most, where something has just moved
LONGEST_POLL_SECONDS = 10.0
SLOWER = 1.5
BEAT_SECONDS = 0.5
MARGIN_SECONDS = 1.0
ASKED_AFTER_SECONDS = 15.0  # without any progress


def until(
    control: Control, missing: Callable[[], Mapping[str, str]], why: Callable[[], str]
) -> Running | None:
    """None once nothing is missing; Running where the time limit comes near.

    `missing` says what is still to come, by instance; `why` what holds it up.
    """
    pause, said, since, reason = FIRST_POLL_SECONDS, "", time.monotonic(), ""
    while found := missing():
        message = "; ".join(dict.fromkeys(found.values()))
        if message != said:
            said, since, reason = message, time.monotonic(), ""
            pause = min(pause, POLL_SECONDS)
        elif not reason and time.monotonic() - since >= ASKED_AFTER_SECONDS:
            reason = why()
        for key, text in found.items():
            whole = "; ".join(filter(None, (text, reason)))
            control.report(key, InstanceOutcome(OutcomeState.RUNNING, whole))
        if not slept(control, pause):
            whole = "; ".join(filter(None, (said, reason or why())))
            return Running(whole, control.time_left() + BEAT_SECONDS)
        pause = min(LONGEST_POLL_SECONDS, SLOWER * pause)
    return None


def slept(control: Control, seconds: float) -> bool:
    """In short beats, so that neither the worker's end nor the time limit is missed."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if control.time_left() <= MARGIN_SECONDS:
            return False
        time.sleep(min(left, BEAT_SECONDS))
        control.safe_point()
    return True
