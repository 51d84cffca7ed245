"""Workers that die at every change, answers that are lost at every change: all ends well."""

import pytest

from dashboard.models import Deployment
from rollbacks import execution
from tests.ami.conftest import Open
from tests.ami.shop import Shop
from tests.ami.test_every_type import INCREMENTAL, succeeded
from tests.aws.wire import Wire, lose_every_answer_once
from tests.engine.faults import Crash, expire, finish
from tests.scene import verdicts

CASES = ["CANARY", "BLUE_GREEN", "INCREMENTAL"]  # BASIC has no step of its own
DYING = [True, False]


def opened(open_shop: Open, case: str) -> Shop:
    return open_shop(**INCREMENTAL) if case == "INCREMENTAL" else open_shop(workflow_type=case)


def worked_by_many(execution_: Deployment) -> tuple[Deployment, int]:
    """Each worker dies at a change, until one finds nothing to change; and how many died."""
    died = 0
    while died < 60:
        try:
            execution.execute(execution_.pk, f"worker {died}")
        except Crash:
            died += 1
            expire(execution_)
        else:
            break
    return Deployment.objects.get(pk=execution_.pk), died


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("after_effect", DYING)
def test_workers_that_all_die_at_a_change_bring_a_release_and_take_it_back(
    open_shop: Open, wire: Wire, case: str, after_effect: bool
) -> None:
    shop = opened(open_shop, case)
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    if after_effect:
        wire.workers_die_after_one_change()
    else:
        wire.workers_die_before_their_second_change()

    bad = shop.start("1.4.2")
    wire.sent.clear()
    done, died = worked_by_many(bad)
    succeeded(done)
    assert died > 3, "the changes are no longer what they were"
    assert verdicts(done) == {shop.key: "DEPLOYED"}
    assert wire.sent.count("create_auto_scaling_group") == 1
    assert wire.sent.count("create_launch_template_version") == 1
    assert set(shop.groups()) == {"1", "2"}

    rollback = shop.scene.confirm(bad)
    wire.sent.clear()
    done, died = worked_by_many(rollback)
    succeeded(done)
    assert died > 3, "the changes are no longer what they were"
    assert verdicts(done) == {shop.key: "ROLLED_BACK"}
    assert shop.everything() == before
    assert wire.sent.count("delete_auto_scaling_group") == 1


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("after_effect", DYING)
def test_every_answer_is_lost_once(open_shop: Open, case: str, after_effect: bool) -> None:
    shop = opened(open_shop, case)
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    lose_every_answer_once(shop.cloud, after_effect=after_effect)
    bad = succeeded(finish(shop.start("1.4.2")))
    assert set(shop.groups()) == {"1", "2"}
    succeeded(finish(shop.scene.confirm(bad)))
    shop.cloud.forgive()
    assert shop.everything() == before
