"""The broker loses everything, or is away for a while: rollbacks are taken, begin, and end well."""

import time

import pytest

from tests.nightly import IS_NIGHTLY
from tests.operating.stack import eventually
from tests.servers import PostgreSQL, RabbitMQ, Redis
from tests.surviving.audit import audit
from tests.surviving.conftest import Open, say

MORE_TIME = 30.0
ANSWERS_WITHIN = 5.0
STARTS_WITHIN = 5.0
_BEGUN = "SELECT count(*) FROM dashboard_deployment WHERE rolls_back_id IS NOT NULL AND started_at"


@pytest.mark.parametrize("broker", [Redis, RabbitMQ] if IS_NIGHTLY else [RabbitMQ])
def test_rollbacks_end_though_the_broker_loses_every_message_again_and_again(
    shop_on: Open, broker: type[Redis | RabbitMQ]
) -> None:
    """And then it is away: what is asked for meanwhile begins soon after it is back."""
    shop = shop_on(PostgreSQL(), broker(), targets=100 if IS_NIGHTLY else 8, hosts=1)
    site = shop.site
    assert site.broker
    shop.send_bad()
    began = time.monotonic()
    shop.take_back()
    while not shop.is_whole():
        site.broker.flush()
        assert time.monotonic() - began < shop.targets * 2 + MORE_TIME
        time.sleep(0.2)
    say(f"{shop.targets} rollbacks ended after {time.monotonic() - began:.1f} s; {audit(shop)}")

    shop.send_bad()
    site.broker.kill()
    slowest = shop.take_back()
    say(f"with the broker away the slowest answer took {slowest:.1f} s")
    assert slowest <= ANSWERS_WITHIN
    site.broker.start()
    back = time.monotonic()
    eventually(lambda: site.rows(f"{_BEGUN} IS NULL") == [(0,)], 60, "beginning")
    say(f"all had begun {time.monotonic() - back:.1f} s after it was back")
    assert time.monotonic() - back <= STARTS_WITHIN
    eventually(shop.is_whole, shop.targets * 2 + MORE_TIME, "the end of all")
    audit(shop)
