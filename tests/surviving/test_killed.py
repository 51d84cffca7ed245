"""Workers are killed in the middle of rollbacks, again and again: each goes on, and ends well."""

from random import Random

import pytest

from tests.nightly import IS_NIGHTLY
from tests.servers import PostgreSQL, RabbitMQ, Redis
from tests.surviving.audit import audit
from tests.surviving.conftest import GOES_ON_WITHIN, QUICK, Open, say
from tests.surviving.killing import Striker, percentile
from tests.surviving.traffic import Shop, Traffic


@pytest.mark.parametrize("broker", [Redis, RabbitMQ] if IS_NIGHTLY else [Redis])
def test_a_killed_workers_rollbacks_go_on_and_end_well(
    shop_on: Open, chance: Random, broker: type[Redis | RabbitMQ]
) -> None:
    shop = shop_on(PostgreSQL(), broker())
    kills = 200 if IS_NIGHTLY else 8
    gaps = _kill(shop, chance, kills, most=2.0)
    late = percentile(gaps, 0.99)
    say(f"{kills} kills, {len(gaps)} interrupted; 99 of 100 went on within {late:.1f} s")
    say(audit(shop))
    assert late <= GOES_ON_WITHIN, gaps[-10:]


@pytest.mark.skipif(not IS_NIGHTLY, reason="at night; by day tests/demo kills it once")
def test_the_rollbacks_of_the_one_process_that_is_killed_go_on_when_it_is_started_again(
    shop_on: Open, chance: Random
) -> None:
    shop = shop_on(targets=4, **QUICK)
    gaps = _kill(shop, chance, 100, most=4.0)
    say(f"100 kills, {len(gaps)} interrupted; all went on within {gaps[-1]:.1f} s")
    say(audit(shop))


def _kill(shop: Shop, chance: Random, kills: int, most: float) -> list[float]:
    """Kill until it is enough, and let all that was begun end; how long it lay still each time."""
    killer = Striker(shop.site, chance)
    traffic = Traffic(shop, goes_on=True)

    def is_enough() -> bool:
        killer.strike(least=0.3, most=most)
        return killer.strikes >= kills

    traffic.until(is_enough, within=kills * 30)
    traffic.end(within=180)
    return killer.gaps()
