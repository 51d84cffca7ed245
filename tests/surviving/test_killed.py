"""Workers are killed in the middle of rollbacks, again and again: each goes on, and ends well."""

from random import Random

import pytest

from tests.servers import PostgreSQL, RabbitMQ, Redis
from tests.surviving.audit import audit
from tests.surviving.conftest import GOES_ON_WITHIN, IS_NIGHTLY, Open, say
from tests.surviving.killing import Striker, percentile
from tests.surviving.traffic import Traffic


@pytest.mark.parametrize(
    ("broker", "kills"),
    [(Redis, 200 if IS_NIGHTLY else 10), (RabbitMQ, 200 if IS_NIGHTLY else 30)],
)
def test_a_killed_workers_rollbacks_go_on_and_end_well(
    shop_on: Open, chance: Random, broker: type[Redis | RabbitMQ], kills: int
) -> None:
    shop = shop_on(PostgreSQL(), broker())
    killer = Striker(shop.site, chance)
    traffic = Traffic(shop, goes_on=True)

    def is_enough() -> bool:
        killer.strike(least=0.3, most=2.0)
        return killer.strikes >= kills

    traffic.until(is_enough, within=kills * 10)
    traffic.end(within=120)

    gaps = killer.gaps()
    late = percentile(gaps, 0.99)
    say(f"{killer.strikes} kills, {len(gaps)} interrupted; 99 of 100 went on within {late:.1f} s")
    say(audit(shop))
    assert late <= GOES_ON_WITHIN, gaps[-10:]
