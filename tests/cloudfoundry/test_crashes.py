"""Workers that die at every change, answers that are lost at every change: all ends well."""

import pytest

from dashboard.models import Deployment
from rollbacks import execution
from tests.engine.faults import Crash, expire, finish
from tests.nightly import IS_NIGHTLY
from tests.scene import verdicts

from .conftest import Open
from .test_every_type import CASES, succeeded
from .wire import Wire, lose_every_answer_once

EACH_RUN = [  # case, whether the change has happened when the answer or the worker is lost
    ("BASIC of bits", True),
    ("CANARY", False),
    ("BLUE_GREEN downsized", True),
    ("BASIC that scales by itself", False),
]
EVERY = [(case, after_effect) for case in CASES for after_effect in (True, False)]
tried = pytest.mark.parametrize(("case", "after_effect"), EVERY if IS_NIGHTLY else EACH_RUN)


def worked_by_many(started: Deployment) -> tuple[Deployment, int]:
    """Each worker dies at a change, until one finds nothing to change; and how many died."""
    died = 0
    while died < 60:
        try:
            execution.execute(started.pk, f"worker {died}")
        except Crash:
            died += 1
            expire(started)
        else:
            break
    return Deployment.objects.get(pk=started.pk), died


def deadly(wire: Wire, *, after_effect: bool) -> None:
    if after_effect:
        wire.workers_die_after_one_change()
    else:
        wire.workers_die_before_their_second_change()
    wire.sent.clear()


@tried
def test_workers_that_all_die_after_one_change(
    open_shop: Open, wire: Wire, case: str, after_effect: bool
) -> None:
    shop = open_shop(**CASES[case])
    succeeded(shop.deploy("1.4.1"))
    if shop.scales:
        shop.scales_by_itself("1", 1, 5)
    before = shop.everything()
    bad = shop.start("1.4.2")
    deadly(wire, after_effect=after_effect)
    done, died = worked_by_many(bad)
    assert verdicts(succeeded(done)) == {shop.key: "DEPLOYED"}
    assert wire.sent.count("POST /v3/apps") == 1
    assert wire.sent.count("POST /v3/packages") == 1
    assert wire.sent.count("POST /v3/builds") == 1
    wire.calm()
    rollback = shop.scene.confirm(bad)
    deadly(wire, after_effect=after_effect)
    done, died_back = worked_by_many(rollback)
    assert verdicts(succeeded(done)) == {shop.key: "ROLLED_BACK"}
    assert died > 3
    assert died_back > 1
    assert shop.everything() == before


@tried
def test_every_answer_is_lost_once(open_shop: Open, case: str, after_effect: bool) -> None:
    shop = open_shop(**CASES[case])
    succeeded(shop.deploy("1.4.1"))
    if shop.scales:
        shop.scales_by_itself("1", 1, 5)
    before = shop.everything()
    lose_every_answer_once(shop.foundation, after_effect=after_effect)
    bad = succeeded(finish(shop.start("1.4.2")))
    assert set(shop.apps()) == {"1", "2"}
    packages = shop.somebody.ask("GET", f"/v3/apps/{shop.guid('2')}/packages")
    assert packages["pagination"]["total_results"] == 1
    succeeded(finish(shop.scene.confirm(bad)))
    shop.foundation.heal()
    assert shop.everything() == before
    assert set(shop.apps()) == {"1"}
