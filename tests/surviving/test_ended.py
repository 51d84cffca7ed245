"""Workers are asked to end in the middle of rollbacks, as by an upgrade: none fails, all go on."""

import signal
from random import Random

from tests.nightly import IS_NIGHTLY
from tests.servers import PostgreSQL, Redis
from tests.surviving.audit import audit
from tests.surviving.conftest import GOES_ON_WITHIN, Open, say
from tests.surviving.killing import Striker
from tests.surviving.traffic import Traffic


def test_rollbacks_of_workers_that_are_asked_to_end_go_on_and_end_well(
    shop_on: Open, chance: Random
) -> None:
    shop = shop_on(PostgreSQL(), Redis())
    upgrade = Striker(shop.site, chance, signal.SIGTERM)
    traffic = Traffic(shop, goes_on=True)
    ends = 50 if IS_NIGHTLY else 3

    def is_enough() -> bool:
        upgrade.strike(least=0.5, most=2.0)
        return upgrade.strikes >= ends

    traffic.until(is_enough, within=ends * 20)
    traffic.end(within=120)
    gaps = upgrade.gaps()
    say(f"{upgrade.strikes} asked to end, {len(gaps)} rollbacks had; at most {gaps[-1]:.1f} s")
    say(audit(shop))
    assert gaps[-1] <= GOES_ON_WITHIN, gaps[-10:]
