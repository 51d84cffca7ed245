"""`manage.py simulate` says what it did, and how to see just that again where a rule was broken."""

from collections import Counter
from collections.abc import Iterator

import pytest
from django.core.management import CommandError, call_command

from rollbacks.simulation import jobs
from rollbacks.simulation.jobs import Tally


def test_a_violation_is_told_with_its_seed_its_story_and_the_way_to_see_it_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(first: int, count: int, at_once: int) -> Iterator[Tally]:
        yield Tally(50, Counter({"rollback succeeded VERIFIED": 50}), Counter({"crash": 7}))
        yield Tally(3, failed_seed=52, story="the story\nVIOLATION: of a rule")

    monkeypatch.setattr(jobs, "tallies", broken)
    with pytest.raises(SystemExit) as exit_:
        call_command("simulate", seed=1, schedules=100, jobs=1)
    assert exit_.value.code == 1
    told = capsys.readouterr().out
    assert "Faults in 53 schedules:\n         7 crash\n" in told
    assert "the story\nVIOLATION: of a rule\n" in told
    assert told.endswith("  python manage.py simulate --seed 52 --schedules 1\n")
    assert "No violation" not in told


def test_a_seed_is_drawn_and_told_where_none_is_given(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[int] = []

    def none(first: int, count: int, at_once: int) -> Iterator[Tally]:
        asked.append(first)
        yield Tally(count)

    monkeypatch.setattr(jobs, "tallies", none)
    call_command("simulate", schedules=1000, jobs=1)
    told = capsys.readouterr().out
    assert told.startswith(f"Seed {asked[0]}: 1000 schedules")
    assert "1000 of 1000" in told


def test_no_schedules_are_refused() -> None:
    with pytest.raises(CommandError):
        call_command("simulate", schedules=0)
