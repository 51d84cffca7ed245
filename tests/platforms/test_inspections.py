"""What several hosts say of one step, put together."""

import pytest

from rollbacks.platforms import inspections
from rollbacks.platforms.base import Difference, PlatformError
from rollbacks.platforms.inspections import Said

NAMES = ("web-1", "web-2", "web-3")
WELL = Said(Difference("web-2", "current", ("-a", "+b")), "web-2: somebody changed it")
REFUSED = PlatformError("does not let us in", permanent=True)
SILENT = PlatformError("no answer within 5 s")


def test_what_lasts_is_a_problem_and_what_may_pass_a_warning() -> None:
    found = inspections.summed(NAMES, {"web-2": WELL}, {"web-3": REFUSED, "web-1": SILENT})
    assert found.differences == (WELL.difference,)
    assert found.warnings == ("web-2: somebody changed it", "web-1: no answer within 5 s")
    assert found.problems == ("web-3: does not let us in",)


def test_a_host_that_cannot_be_entered_does_not_hold_up_the_way_back_of_others() -> None:
    faults = {"web-3": REFUSED, "web-1": REFUSED}
    found = inspections.summed(NAMES, {"web-2": WELL}, faults, each_by_itself=True)
    assert found.warnings[1:] == ("web-1, web-3: does not let us in",)
    assert found.problems == ()
    nobody = inspections.summed(NAMES, {}, faults, each_by_itself=True)
    assert nobody.problems == ("web-1, web-3: does not let us in",)


def test_where_nobody_answers_yet_nothing_is_said() -> None:
    with pytest.raises(PlatformError, match="no answer") as fault:
        inspections.summed(NAMES, {}, dict.fromkeys(NAMES, SILENT))
    assert not fault.value.permanent
