"""A host is cut off in the middle of a rollback: it is named, waited for, and brought back."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.nightly import IS_NIGHTLY
from tests.operating.stack import eventually
from tests.servers import PostgreSQL, Redis
from tests.sshd import Fleet
from tests.surviving.audit import audit
from tests.surviving.conftest import Open, say
from tests.surviving.traffic import Shop

_OUTCOMES = """
    SELECT s.outcomes FROM dashboard_step s JOIN dashboard_phase p ON p.id = s.phase_id
    JOIN dashboard_deployment d ON d.id = p.deployment_id
    WHERE d.rolls_back_id IS NOT NULL AND s.status = 'RUNNING'
"""


CUTS = [(Fleet.stop, Fleet.start), (Fleet.pause, Fleet.resume)]


@pytest.mark.skipif(not IS_NIGHTLY, reason="at night; by day tests/outages takes a host away")
@pytest.mark.parametrize(("cut", "mend"), CUTS)
def test_a_host_that_is_cut_off_is_named_and_brought_back_when_it_answers_again(
    shop_on: Open, cut: Callable[[Fleet, str], None], mend: Callable[[Fleet, str], None]
) -> None:
    shop = shop_on(PostgreSQL(), Redis(), targets=4)
    shop.send_bad()
    lost = shop.site.fleet.hosts[1]
    cut(shop.site.fleet, lost)
    try:
        shop.take_back()
        eventually(lambda: _unknown(shop) == [{lost}] * shop.targets, 60, "naming the host")
        assert not shop.is_whole()
    finally:
        mend(shop.site.fleet, lost)
    eventually(shop.is_whole, 90, "the end of all")
    say(audit(shop))


def _unknown(shop: Shop) -> list[set[str]]:
    """The hosts of which each step at work says that it does not know."""
    found: list[dict[str, Any]] = [
        json.loads(row) if isinstance(row, str) else row for [row] in shop.site.rows(_OUTCOMES)
    ]
    return [
        {host for host, outcome in outcomes.items() if outcome["state"] == "UNKNOWN"}
        for outcomes in found
    ]
