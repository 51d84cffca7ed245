"""What becomes of an instance in time, without waiting for it."""

import pytest

from .foundation import Fate, Timing
from .foundation.fates import NOTHING, Fates, Look

TIMING = Timing(place=1, start=2, live=3, restart=4, longest_restart=8)


def looks(fate: Fate, *ages: float) -> list[Look]:
    fates = Fates(TIMING)
    fates.tell("shop:1", fate)
    return [fates.look("shop:1", 0, age) for age in ages]


@pytest.mark.parametrize(
    ("fate", "states"),
    [
        (Fate.RUNS, ["DOWN", "STARTING", "RUNNING", "RUNNING", "RUNNING"]),
        (Fate.NEVER_STARTS, ["DOWN", "STARTING", "STARTING", "STARTING", "STARTING"]),
        (Fate.IS_NOT_PLACED, ["DOWN"] * 5),
        (Fate.CRASHES, ["DOWN", "STARTING", "CRASHED", "STARTING", "CRASHED"]),
        (Fate.FLAPS, ["DOWN", "STARTING", "RUNNING", "CRASHED", "STARTING"]),
    ],
)
def test_each_fate_has_its_states(fate: Fate, states: list[str]) -> None:
    assert [each.state for each in looks(fate, 0.5, 1.5, 4, 8, 10.5)] == states


def test_a_crashed_one_waits_longer_each_time_and_counts() -> None:
    found = looks(Fate.CRASHES, 6.9, 7.1, 9.1, 16.9, 17.1, 19.1, 26.9, 27.1)
    assert [each.state for each in found] == ["CRASHED", "STARTING"] + [
        "CRASHED",
        "CRASHED",
        "STARTING",
    ] * 2
    assert [each.crashes for each in found] == [1, 1, 2, 2, 2, 3, 3, 3]
    assert [round(each.crashed_ago, 1) for each in found[:3]] == [3.9, 4.1, 0.1]


def test_one_that_is_not_ready_runs_and_is_not_routable() -> None:
    ready, not_ready = looks(Fate.RUNS, 5)[0], looks(Fate.IS_NOT_READY, 5)[0]
    assert (ready.state, ready.is_routable) == ("RUNNING", True)
    assert (not_ready.state, not_ready.is_routable) == ("RUNNING", False)


def test_an_image_is_known_by_its_tag_too_and_what_is_gone_crashes() -> None:
    fates = Fates(TIMING)
    fates.tell("1.4", Fate.NEVER_STARTS)
    fates.tell("other:1.4", Fate.FLAPS)
    fates.tell("1.4", Fate.CRASHES, index=2)
    assert fates.of("registry/shop:1.4") == Fate.NEVER_STARTS
    assert fates.of("other:1.4") == Fate.FLAPS
    assert fates.of("registry/shop:1.4", 2) == Fate.CRASHES
    assert fates.of("registry/shop:1.5") == Fate.RUNS
    assert fates.of(NOTHING) == Fate.CRASHES
