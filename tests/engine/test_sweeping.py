"""What waits for a worker is hinted again, ever more seldom."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from rollbacks import sweep
from tests.engine.faults import expire
from tests.scene import Scene, run


@pytest.fixture
def hinted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The executions that were hinted, in order."""
    ids: list[int] = []

    def keep(task: str, deployment_id: int) -> None:
        if task == "rollbacks.tasks.execute":
            ids.append(deployment_id)

    monkeypatch.setattr(sweep, "_hint", keep)
    return ids


def _each_second(sweeper: sweep.Sweeper, begin: datetime, seconds: int) -> None:
    for second in range(seconds):
        sweeper.sweep(begin + timedelta(seconds=second))


def test_hints_that_nobody_takes_make_no_heap(shop: Scene, hinted: list[int]) -> None:
    waiting = shop.start("1.4.1")
    sweeper, begin = sweep.Sweeper(), timezone.now()
    sweeper.sweep(begin)
    assert hinted == [waiting.pk], "at once, where a hint was lost"
    _each_second(sweeper, begin + timedelta(seconds=1), 600)
    assert 20 <= len(hinted) <= 30, "and then about every half minute, for ever"


def test_what_was_taken_and_lost_again_is_hinted_at_once(shop: Scene, hinted: list[int]) -> None:
    deployment = shop.start("1.4.1")
    sweeper, begin = sweep.Sweeper(), timezone.now()
    _each_second(sweeper, begin, 100)
    run(deployment)
    sweeper.sweep(begin + timedelta(seconds=101))
    lost = shop.start("1.4.2")
    hinted.clear()
    sweeper.sweep(begin + timedelta(seconds=102))
    assert hinted == [lost.pk]
    expire(lost)
    hinted.clear()
    other = sweep.Sweeper()
    other.sweep(begin + timedelta(seconds=103))
    assert hinted == [lost.pk], "each sweeper for itself"
