"""Each bug is seen by the auditor, by the rule that is about it, within so many schedules."""

import pytest

from rollbacks.simulation.auditor import Rule
from rollbacks.simulation.schedule import Simulator
from tests.simulation.bugs import BUGS, Bug

AT_MOST = 300
# Where the rare ones showed themselves; they are looked for from there on, then everywhere else.
SEEN_AT = {
    "the_fence_is_dropped": 125,
    "a_successor_captures_again": 22,
    "the_right_is_not_asked_again": 18,
    "two_steps_are_swapped": 7,
    "a_lease_is_taken_while_it_lasts": 7,
}


@pytest.mark.parametrize(
    ("bug", "rule"), [pytest.param(*each, id=each[0].__name__) for each in BUGS.items()]
)
def test_the_auditor_sees_that(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch, bug: Bug, rule: Rule
) -> None:
    bug(monkeypatch)
    first = SEEN_AT.get(bug.__name__, 0)
    for count, seed in enumerate((*range(first, AT_MOST), *range(first)), start=1):
        if found := list(rule(simulator.run(seed).evidence)):
            print(f"caught in schedule {count}: {found[0]}")  # noqa: T201
            return
    pytest.fail(f"{bug.__name__} passed {AT_MOST} schedules")
