"""Workers that die at every change, answers that are lost at every change: all ends well."""

import pytest

from dashboard.models import Deployment
from rollbacks import execution
from tests.aws.wire import Wire, lose_every_answer_once
from tests.ecs.conftest import Open
from tests.ecs.test_every_type import CASES, succeeded
from tests.engine.faults import Crash, expire, finish
from tests.nightly import IS_NIGHTLY
from tests.scene import verdicts

EACH_RUN = [  # case, launch type, whether the change has happened when the answer or worker is lost
    ("BASIC", "FARGATE", True),
    ("BASIC", "EC2", False),
    ("CANARY", "FARGATE", False),
    ("CANARY", "EC2", True),
    ("BLUE_GREEN downsized", "FARGATE", True),
    ("BLUE_GREEN by DNS", "EC2", False),
]
EVERY = [
    (case, launch_type, after_effect)
    for case in CASES
    for launch_type in ("EC2", "FARGATE")
    for after_effect in (True, False)
]
tried = pytest.mark.parametrize(
    ("case", "launch_type", "after_effect"), EVERY if IS_NIGHTLY else EACH_RUN
)


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


def deadly(wire: Wire, *, after_effect: bool) -> None:
    if after_effect:
        wire.workers_die_after_one_change()
    else:
        wire.workers_die_before_their_second_change()
    wire.sent.clear()


@tried
def test_workers_that_all_die_after_one_change(
    open_shop: Open, wire: Wire, case: str, launch_type: str, after_effect: bool
) -> None:
    shop = open_shop(**CASES[case], launch_type=launch_type)
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    bad = shop.start("1.4.2")
    deadly(wire, after_effect=after_effect)
    done, died = worked_by_many(bad)
    assert verdicts(succeeded(done)) == {shop.key: "DEPLOYED"}
    assert wire.sent.count("register_task_definition") == 1
    assert wire.sent.count("create_service") == (shop.key != shop.base)
    wire.calm()
    rollback = shop.scene.confirm(bad)
    deadly(wire, after_effect=after_effect)
    done, died_back = worked_by_many(rollback)
    assert verdicts(succeeded(done)) == {shop.key: "ROLLED_BACK"}
    assert died, "the changes are no longer what they were"
    assert died_back or shop.key == shop.base, "the changes are no longer what they were"
    assert shop.everything() == before


@tried
def test_every_answer_is_lost_once(
    open_shop: Open, case: str, launch_type: str, after_effect: bool
) -> None:
    shop = open_shop(**CASES[case], launch_type=launch_type)
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    lose_every_answer_once(shop.cloud, after_effect=after_effect)
    bad = succeeded(finish(shop.start("1.4.2")))
    if shop.key != shop.base:
        assert set(shop.counts()) == {"1", "2"}
    succeeded(finish(shop.scene.confirm(bad)))
    shop.cloud.forgive()
    assert shop.everything() == before
    revisions = shop.ecs.list_task_definitions(familyPrefix=shop.family)["taskDefinitionArns"]
    assert len(revisions) == 3
