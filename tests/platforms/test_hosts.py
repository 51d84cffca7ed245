"""Which hosts a phase takes, after those of earlier phases."""

import pytest

from rollbacks.platforms.base import PlatformError
from rollbacks.platforms.hosts import selected

EIGHT = [f"i{number}" for number in range(1, 9)]


def phases(every: list[str], *selections: dict[str, object]) -> list[list[str]]:
    taken: list[str] = []
    found = []
    for selection in selections:
        chosen = list(selected(every, selection, taken))
        found.append(chosen)
        taken += chosen
    return found


def test_shares_count_earlier_phases_in_and_take_no_host_twice() -> None:
    shares = [{"percentage": each} for each in (10, 30, 60, 100)]
    assert phases(EIGHT, *shares) == [
        ["i1"],
        ["i2", "i3"],
        ["i4", "i5"],
        ["i6", "i7", "i8"],
    ]


def test_a_share_is_rounded_up() -> None:
    assert phases(EIGHT, {"percentage": 1}) == [["i1"]]
    assert [len(each) for each in phases(EIGHT[:3], {"percentage": 34})] == [2]


def test_named_hosts_count_for_the_share_that_follows() -> None:
    found = phases(EIGHT[:4], {"hosts": ["i4"]}, {"percentage": 50}, {"percentage": 100})
    assert found == [["i4"], ["i1"], ["i2", "i3"]]


def test_hosts_may_be_named_again() -> None:
    assert phases(EIGHT[:2], {"hosts": ["i2"]}, {}) == [["i2"], ["i1", "i2"]]


def test_a_share_that_is_reached_already_takes_nothing() -> None:
    assert phases(EIGHT[:1], {"percentage": 25}, {"percentage": 100}) == [["i1"], []]


@pytest.mark.parametrize("selection", [{"hosts": ["db-1"]}, {"percentage": 0}, {"zone": "a"}])
def test_what_cannot_be_meant_is_refused(selection: dict[str, object]) -> None:
    with pytest.raises(PlatformError):
        selected(EIGHT, selection)
