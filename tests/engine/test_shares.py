"""Which instances each phase of a rollback takes: acceptance.md by number, and an oracle."""

import random
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbacks.shares import Share, shares

CASES = 50_000
SEED = 7


def _keys(text: str) -> list[str]:
    """`i1 i9-i12` written out."""
    found: list[str] = []
    for part in text.split():
        first, _, last = part.partition("-")
        start, stop = int(first[1:]), int((last or first)[1:])
        found += [f"i{number}" for number in range(start, stop + 1)]
    return found


def _taken(deployed: list[str], active: str) -> dict[int, list[str]]:
    """By the number of the phase, in the order in which they are undone."""
    found = shares([_keys(phase) for phase in deployed], _keys(active))
    return {len(deployed) - index: list(share.every) for index, share in enumerate(found)}


def test_A60_the_briefs_example_to_the_letter() -> None:
    deployed = [_keys("i1"), _keys("i2 i3"), _keys("i4 i5"), _keys("i6 i7 i8")]
    assert shares(deployed, _keys("i1 i2 i3 i4 i7 i8 i9-i17")) == [
        Share(("i7", "i8"), ("i9", "i10", "i11", "i12")),
        Share(("i4",), ("i13", "i14", "i15")),
        Share(("i2", "i3"), ("i16", "i17")),
        Share(("i1",), ()),
    ]


def test_A61_one_phase_takes_everything() -> None:
    assert _taken(["i1-i3"], "i1 i9 i10 i11") == {1: _keys("i1 i9 i10 i11")}


def test_A62_without_an_active_instance_no_phase_has_anything_to_do() -> None:
    assert _taken(["i1 i2", "i3 i4", "i5 i6", "i7 i8"], "") == {4: [], 3: [], 2: [], 1: []}


def test_A63_terminated_instances_are_skipped() -> None:
    assert _taken(["i1 i2", "i3 i4", "i5 i6", "i7 i8"], "i1-i6") == {
        4: [], 3: _keys("i5 i6"), 2: _keys("i3 i4"), 1: _keys("i1 i2"),
    }  # fmt: skip


def test_A64_a_phase_takes_all_survivors_though_they_are_more_than_its_part() -> None:
    assert _taken(["i1-i4", "i5-i8"], "i5-i8") == {2: _keys("i5-i8"), 1: []}


def test_A65_only_new_instances_are_divided_by_what_was_deployed() -> None:
    found = _taken(["i1", "i2 i3", "i4 i5", "i6 i7 i8"], "i11-i20")
    assert {phase: len(keys) for phase, keys in found.items()} == {4: 4, 3: 3, 2: 3, 1: 0}
    assert [key for keys in found.values() for key in keys] == _keys("i11-i20")


def test_A66_a_half_is_rounded_up() -> None:
    assert len(_taken(["i1-i3", "i4"], "i11-i20")[2]) == 3


def test_an_instance_of_two_phases_belongs_to_the_later_and_counts_once() -> None:
    assert _taken(["i1 i2", "i2 i3 i3"], "i1-i5") == {2: _keys("i2 i3 i4"), 1: _keys("i1 i5")}


def test_a_phase_that_deployed_nothing_takes_nothing_unless_it_is_undone_last() -> None:
    assert _taken(["", "i1 i2", ""], "i1 i7") == {3: [], 2: _keys("i1 i7"), 1: []}
    assert _taken(["", ""], "i7 i8") == {2: [], 1: _keys("i7 i8")}
    assert shares([], _keys("i7")) == []


def _naively(deployed: list[list[str]], active: list[str]) -> list[tuple[list[str], list[str]]]:
    """The same rule as its prose says it, by fractions and repeated searches."""
    phase_of: dict[str, int] = {}
    for number, phase in enumerate(deployed):
        for key in phase:
            phase_of[key] = number
    taken: set[str] = set()
    answer = []
    for number in range(len(deployed) - 1, -1, -1):
        mine = [key for key in phase_of if phase_of[key] == number]
        mine.sort(key=deployed[number].index)
        own = [key for key in mine if key in active]
        exact = Fraction(len(active) * len(mine), len(phase_of)) if phase_of else Fraction(0)
        wanted = int(exact + Fraction(1, 2))
        new: list[str] = []
        for key in active:
            is_free = key not in phase_of and key not in taken
            if is_free and (number == 0 or len(own) + len(new) < wanted):
                new.append(key)
                taken.add(key)
        answer.append((own, new))
    return answer


def _fleet(chance: random.Random) -> tuple[list[list[str]], list[str]]:
    pool = [f"i{number}" for number in range(int(12 * chance.random()))]
    cuts = sorted(int((len(pool) + 1) * chance.random()) for _ in range(int(5 * chance.random())))
    bounds = [0, *cuts, len(pool)]
    phases = [pool[start:stop] for start, stop in pairwise(bounds)]
    rate = chance.choice((0, 0.5, 0.9, 1))
    survivors = [key for key in pool if chance.random() < rate]
    active = survivors + [f"n{number}" for number in range(int(12 * chance.random()))]
    if chance.random() < 0.5:
        chance.shuffle(active)
    if pool and chance.random() < 0.2:
        phases[chance.randrange(len(phases))].append(chance.choice(pool))
    return phases, active


def test_A67_as_an_oracle_written_apart_says_in_fifty_thousand_fleets() -> None:
    chance = random.Random(SEED)
    for number in range(CASES):
        phases, active = _fleet(chance)
        found = shares(phases, active)
        expected = [(tuple(own), tuple(new)) for own, new in _naively(phases, active)]
        assert [(share.own, share.new) for share in found] == expected, (number, phases, active)


@st.composite
def _fleets(draw: st.DrawFn) -> tuple[list[list[int]], list[int]]:
    pool = draw(st.lists(st.integers(0, 60), unique=True, max_size=30))
    ends = sorted(draw(st.lists(st.integers(0, len(pool)), max_size=6)))
    bounds = [0, *ends, len(pool)]
    phases = [pool[start:stop] for start, stop in pairwise(bounds)]
    return phases, draw(st.lists(st.integers(0, 90), unique=True, max_size=40))


@given(_fleets())
def test_A67_none_twice_none_forgotten_and_never_the_terminated(
    fleet: tuple[list[list[int]], list[int]],
) -> None:
    phases, active = fleet
    found = shares(phases, active)
    every = [key for share in found for key in share.every]
    assert len(found) == len(phases)
    assert sorted(every) == sorted(active)
    for share, phase in zip(found, reversed(phases), strict=True):
        assert list(share.own) == [key for key in phase if key in active]
        old = {key for phase in phases for key in phase}
        assert not old & set(share.new)
    new = [key for share in found for key in share.new]
    assert new == [key for key in active if key in set(new)]


@given(_fleets())
def test_a_phase_that_is_not_the_last_takes_new_ones_only_up_to_its_part(
    fleet: tuple[list[list[int]], list[int]],
) -> None:
    phases, active = fleet
    total = sum(map(len, phases))
    for share, phase in zip(shares(phases, active)[:-1], reversed(phases[1:]), strict=True):
        if share.new:
            exact = Fraction(len(active) * len(phase), total)
            assert abs(len(share.every) - exact) <= Fraction(1, 2) or len(share.every) < exact


@pytest.mark.parametrize("count", [10_000])
def test_a_large_fleet_is_shared_out_whole(count: int) -> None:
    tenth = count // 10
    phases = [list(range(number * tenth, (number + 1) * tenth)) for number in range(10)]
    active = [*range(0, count, 2), *range(count, count + count // 2)]
    every = [key for share in shares(phases, active) for key in share.every]
    assert len(every) == len(set(every)) == len(active)
