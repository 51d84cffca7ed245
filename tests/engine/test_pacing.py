"""Of all workers together, no more is asked than a provider allows."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection
from django.utils import timezone

from dashboard.models import Bucket
from rollbacks.pacing import SharedPace
from rollbacks.runtime import MACHINE


@pytest.mark.django_db
def test_a_burst_is_free_and_then_everybody_waits_their_turn() -> None:
    now = timezone.now()
    waits = [Bucket.take("b", now, rate=5, burst=3) for _ in range(5)]
    assert waits == pytest.approx([0, 0, 0, 0.2, 0.4])
    later = now + timedelta(seconds=1)
    assert [Bucket.take("b", later, rate=5, burst=3) for _ in range(4)] == pytest.approx(
        [0, 0, 0, 0.2]
    )
    assert Bucket.take("another", later, rate=5, burst=3) == 0


@pytest.mark.django_db
def test_time_that_passes_fills_it_no_further_than_full() -> None:
    now = timezone.now()
    Bucket.take("b", now, rate=5, burst=2)
    later = now + timedelta(days=1)
    waits = [Bucket.take("b", later, rate=5, burst=2) for _ in range(3)]
    assert waits == pytest.approx([0, 0, 0.2])


@pytest.mark.django_db
def test_a_way_back_takes_nearly_all_and_everything_else_half(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = timezone.now()
    monkeypatch.setattr(MACHINE, "shared_now", lambda: now)
    about = partial(pytest.approx, abs=1e-4)  # moments are kept to the microsecond
    usual, back = SharedPace(), SharedPace(goes_back=True)
    assert [usual.take("b", 10, 20) for _ in range(11)] == about([0] * 10 + [0.2])
    assert [back.take("c", 10, 20) for _ in range(19)] == about([0] * 18 + [1 / 9])
    # Behind what has emptied it, a way back waits for its own next token, not at half the rate.
    assert [back.take("b", 10, 20) for _ in range(2)] == about([0.2 + 1 / 9, 0.2 + 2 / 9])


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_each_gets_another_token() -> None:
    now = timezone.now()

    def take(_: int) -> float:
        try:
            return Bucket.take("b", now, rate=10, burst=10)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        waits = sorted(threads.map(take, range(40)))
    assert waits == pytest.approx([0] * 10 + [each / 10 for each in range(1, 31)])
