import pytest

from rollbacks.platforms.pcf import counts


@pytest.mark.parametrize(
    ("written", "running", "match_running", "expected"),
    [
        ({}, {}, False, {"web": 2}),
        ({"web": 4}, {"web": 7}, False, {"web": 4}),
        ({"web": 4}, {"web": 7}, True, {"web": 7}),
        ({"web": 4}, {}, True, {"web": 4}),
        ({"web": 0, "worker": 3}, {}, False, {"web": 0, "worker": 3}),
        ({"worker": 1}, {"web": 3, "worker": 2}, True, {"web": 3, "worker": 2}),
    ],
)
def test_what_the_new_app_is_to_have(
    written: counts.Counts, running: counts.Counts, match_running: bool, expected: counts.Counts
) -> None:
    assert counts.desired(written, running, match_running=match_running) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("25%", {"web": 1, "worker": 1}),
        ("50%", {"web": 2, "worker": 2}),
        ("100%", {"web": 4, "worker": 3}),
        ("1", {"web": 1, "worker": 1}),
        ("4", {"web": 4, "worker": 3}),
        ("9", {"web": 9, "worker": 3}),
    ],
)
def test_other_types_follow_web(text: str, expected: counts.Counts) -> None:
    assert counts.wanted({"web": 4, "worker": 3}, text) == expected


def test_without_web_the_largest_type_counts() -> None:
    assert counts.wanted({"web": 0, "worker": 4, "clock": 1}, "2") == {
        "web": 0,
        "worker": 2,
        "clock": 1,
    }


@pytest.mark.parametrize(("new", "left"), [(1, 3), (2, 2), (4, 0)])
def test_old_apps_keep_the_complement(new: int, left: int) -> None:
    assert counts.kept([{"web": 4}], {"web": new}, {"web": 4}) == [{"web": left}]


def test_the_newest_old_app_is_the_last_to_shrink() -> None:
    assert counts.kept([{"web": 2}, {"web": 2}], {"web": 2}, {"web": 4}) == [{"web": 2}, {"web": 0}]


def test_a_type_that_the_new_app_lacks_goes_with_web() -> None:
    old = [{"web": 4, "worker": 2}]
    assert counts.kept(old, {"web": 2}, {"web": 4}) == [{"web": 2, "worker": 1}]
    assert counts.kept(old, {"web": 4}, {"web": 4}) == [{"web": 0, "worker": 0}]


@pytest.mark.parametrize(
    ("most", "left"),
    [(9, {"web": 4, "worker": 2}), (1, {"web": 1, "worker": 1}), (0, {"web": 0, "worker": 0})],
)
def test_old_apps_may_be_given_a_number(most: int, left: counts.Counts) -> None:
    assert counts.limited([{"web": 4, "worker": 2}], most) == [left]


def test_counts_read_like_words() -> None:
    assert counts.text_of({"web": 3}) == "3"
    assert counts.text_of({}) == "0"
    assert counts.text_of({"worker": 1, "web": 3}) == "web 3, worker 1"
