"""Workers are stopped in the middle of rollbacks until others have taken over, and wake again."""

from random import Random

from tests.nightly import IS_NIGHTLY
from tests.servers import PostgreSQL, Redis
from tests.surviving.audit import audit
from tests.surviving.conftest import QUICK, WORKERS, Open, say
from tests.surviving.killing import Pauser
from tests.surviving.traffic import Traffic


def test_a_worker_that_wakes_after_its_lease_writes_nothing_and_calls_no_host(
    shop_on: Open, chance: Random
) -> None:
    shop = shop_on(PostgreSQL(), Redis(), workers=(*WORKERS, "four", "five"), **QUICK)
    pauser = Pauser(shop.site, chance, at_once=3)
    traffic = Traffic(shop, goes_on=True)
    pauses = 200 if IS_NIGHTLY else 6

    def is_enough() -> bool:
        pauser.strike()
        return pauser.pauses >= pauses

    traffic.until(is_enough, within=pauses * 20)
    pauser.rest()
    traffic.end(within=120)
    say(f"{pauser.pauses} pauses; {audit(shop)}")
