import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbacks.platforms.ami.sizes import Sizes, is_whole, kept, wanted


@pytest.mark.parametrize(
    ("instances", "desired", "count"),
    [("25%", 4, 1), ("50%", 4, 2), ("100%", 4, 4), ("25%", 6, 2), ("1%", 3, 1), ("3", 4, 3)],
)
def test_a_percentage_is_of_the_desired_and_rounded_up(
    instances: str, desired: int, count: int
) -> None:
    assert wanted(instances, Sizes(0, 10, desired)) == count


def test_never_more_than_the_maximum() -> None:
    assert wanted("20", Sizes(0, 10, 6)) == 10


def test_nothing_wanted_is_all_of_nothing() -> None:
    assert is_whole(wanted("100%", Sizes(0, 0, 0)), Sizes(0, 0, 0))
    assert kept([2], 0, Sizes(0, 0, 0)) == [0]


@pytest.mark.parametrize(
    ("recorded", "count", "keeps"),
    [
        ([4], 1, [3]),
        ([4], 2, [2]),
        ([4], 4, [0]),
        ([4], 9, [0]),
        ([2, 3], 2, [2, 1]),  # 5 instances, half of the way: 2.5 stay
        ([2, 3], 3, [2, 0]),
        ([], 1, []),
    ],
)
def test_old_groups_keep_the_complement_and_the_newest_shrinks_last(
    recorded: list[int], count: int, keeps: list[int]
) -> None:
    assert kept(recorded, count, Sizes(0, 10, 4)) == keeps


@given(
    st.lists(st.integers(0, 50), max_size=5),
    st.integers(1, 50),
    st.integers(0, 60),
)
def test_capacity_is_never_less_than_before_or_than_wanted(
    recorded: list[int], desired: int, count: int
) -> None:
    keeps = kept(recorded, count, Sizes(0, 60, desired))
    share = min(1.0, count / desired)
    assert all(0 <= each <= had for each, had in zip(keeps, recorded, strict=True))
    assert sum(keeps) + share * sum(recorded) >= sum(recorded) - 1e-9
    assert not is_whole(count, Sizes(0, 60, desired)) or not any(keeps)


def test_room_is_made_for_what_is_wanted() -> None:
    assert Sizes(2, 4, 3).with_desired(1) == Sizes(1, 4, 1)
    assert Sizes(2, 4, 3).with_desired(6) == Sizes(2, 6, 6)


def test_sizes_are_written_and_read_again() -> None:
    assert Sizes.parsed(Sizes(1, 9, 4).text) == Sizes(1, 9, 4)
    with pytest.raises(ValueError, match="unpack"):
        Sizes.parsed("1/2")
