"""PostgreSQL crashes every few seconds, or its disk is full: rollbacks go on after it, and end."""

import time
from random import Random

from tests.nightly import IS_NIGHTLY
from tests.servers import PostgreSQL, Redis
from tests.surviving.audit import audit
from tests.surviving.conftest import Open, say
from tests.surviving.traffic import Traffic


def test_rollbacks_end_though_the_database_crashes_every_few_seconds(
    shop_on: Open, chance: Random
) -> None:
    database = PostgreSQL()
    shop = shop_on(database, Redis())
    traffic = Traffic(shop, goes_on=True)
    until = time.monotonic() + (120 if IS_NIGHTLY else 10)
    next_at, crashes = 0.0, 0

    def is_over() -> bool:
        nonlocal next_at, crashes
        if time.monotonic() > next_at:
            database.kill()  # "immediate": nobody is told, and it has to recover
            database.start()
            crashes += 1
            next_at = time.monotonic() + chance.uniform(3, 6)
        return crashes >= 2 and time.monotonic() > until

    traffic.until(is_over, within=240)
    traffic.end(within=120)
    say(f"{crashes} crashes, {traffic.refused} calls of the API to ask again; {audit(shop)}")
