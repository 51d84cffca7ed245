"""Each bug is seen by the auditor, by the rule that is about it, within so many schedules."""

import pytest

from rollbacks.simulation.auditor import Rule
from rollbacks.simulation.schedule import Simulator
from tests.simulation.bugs import BUGS, Bug

AT_MOST = 300


@pytest.mark.parametrize(
    ("bug", "rule"), [pytest.param(*each, id=each[0].__name__) for each in BUGS.items()]
)
def test_the_auditor_sees_that(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch, bug: Bug, rule: Rule
) -> None:
    bug(monkeypatch)
    for count, seed in enumerate(range(AT_MOST), start=1):
        if found := list(rule(simulator.run(seed).evidence)):
            print(f"caught in schedule {count}: {found[0]}")  # noqa: T201
            return
    pytest.fail(f"{bug.__name__} passed {AT_MOST} schedules")
