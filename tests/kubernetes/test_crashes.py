"""A worker that dies at any request, before it or after it, and a successor that ends it well."""

from itertools import count

import pytest

from dashboard.models import Deployment
from rollbacks import execution
from tests.engine.faults import Crash, expire, finish
from tests.kubernetes import manifests
from tests.kubernetes.conftest import Open
from tests.kubernetes.manifests import IMAGE, NAME
from tests.kubernetes.shop import Shop
from tests.kubernetes.test_every_type import succeeded
from tests.kubernetes.wire import Fault, Sent, Wire
from tests.nightly import IS_NIGHTLY
from tests.scene import verdicts

CASES = [("ROLLING", "StatefulSet"), ("CANARY", "Deployment"), ("BLUE_GREEN", "Deployment")]
if IS_NIGHTLY:
    CASES += [("ROLLING", "Deployment"), ("ROLLING", "DaemonSet"), ("BLUE_GREEN", "StatefulSet")]
DEATHS = [Fault.LOST_REQUEST, Fault.LOST_ANSWER]
nightly = pytest.mark.skipif(not IS_NIGHTLY, reason="long; the same points are met in one pass")


def _opened(open_shop: Open, workflow_type: str, kind: str) -> Shop:
    is_colored = workflow_type == "BLUE_GREEN"
    text = manifests.blue_green(kind) if is_colored else manifests.everything(kind)
    return open_shop(text, workflow_type=workflow_type, workloads=[f"{kind}/{NAME}"])


def _dies_at(wire: Wire, number: int, fault: Fault) -> None:
    """The worker dies with the n-th change, before it is sent or before its answer comes."""
    changes = count(1)

    def dies(sent: Sent) -> Fault | None:
        if sent.is_change and next(changes) == number:
            if fault == Fault.LOST_REQUEST:
                raise Crash(sent.path)
            wire.goes_wrong = _die
        return None

    wire.goes_wrong = dies


def _die(sent: Sent) -> Fault | None:
    """Whatever it asks next, it does not live to ask it."""
    raise Crash(sent.path)


def _worked(deployment: Deployment) -> bool:
    """Whether the worker lived to the end."""
    try:
        execution.execute(deployment.pk, "worker that dies")
    except Crash:
        expire(deployment)
        return False
    return True


def _worked_by_many(deployment: Deployment, wire: Wire, fault: Fault) -> tuple[Deployment, int]:
    """The first worker dies at its first change, the second at its second; how many died."""
    died = 0
    while died < 40:
        _dies_at(wire, died + 1, fault)
        if _worked(deployment):
            break
        died += 1
    wire.goes_wrong = lambda sent: None
    return Deployment.objects.get(pk=deployment.pk), died


@pytest.mark.parametrize(("workflow_type", "kind"), CASES)
@pytest.mark.parametrize("fault", DEATHS)
def test_workers_that_all_die_at_a_change_bring_a_release_and_take_it_back(
    open_shop: Open, wire: Wire, workflow_type: str, kind: str, fault: Fault
) -> None:
    shop = _opened(open_shop, workflow_type, kind)
    succeeded(shop.deploy("1"))
    before = shop.objects()

    bad, died = _worked_by_many(shop.start("2"), wire, fault)
    assert died >= 2, "the changes are no longer what they were"
    assert f"{IMAGE}:2" in shop.images()

    done, died = _worked_by_many(shop.scene.confirm(succeeded(bad)), wire, fault)
    succeeded(done)
    assert died >= 1, "the changes are no longer what they were"
    assert verdicts(done) == {f"{kind}/{NAME}": "ROLLED_BACK"}
    assert shop.objects() == before


@nightly
@pytest.mark.parametrize(("workflow_type", "kind"), CASES)
@pytest.mark.parametrize("fault", DEATHS)
def test_a_rollback_survives_one_death_at_any_change(
    open_shop: Open, wire: Wire, workflow_type: str, kind: str, fault: Fault
) -> None:
    shop = _opened(open_shop, workflow_type, kind)
    succeeded(shop.deploy("1"))
    before = shop.objects()
    for number in range(1, 40):
        bad = succeeded(shop.deploy(f"2.{number}"))
        rollback = shop.scene.confirm(bad)
        _dies_at(wire, number, fault)
        lived = _worked(rollback)
        wire.goes_wrong = lambda sent: None
        succeeded(finish(rollback))
        assert shop.objects() == before
        if lived:
            break
    assert lived


@nightly
@pytest.mark.parametrize(("workflow_type", "kind"), CASES)
def test_a_deployment_survives_one_death_at_any_change(
    open_shop: Open, wire: Wire, workflow_type: str, kind: str
) -> None:
    shop = _opened(open_shop, workflow_type, kind)
    succeeded(shop.deploy("1"))
    for number in range(1, 40):
        deployment = shop.start(f"2.{number}")
        _dies_at(wire, number, Fault.LOST_ANSWER)
        lived = _worked(deployment)
        wire.goes_wrong = lambda sent: None
        succeeded(finish(deployment))
        assert f"{IMAGE}:2.{number}" in shop.images()
        if lived:
            break
    assert lived


@pytest.mark.parametrize("fault", list(Fault))
def test_every_third_request_that_goes_wrong_changes_nothing_of_the_outcome(
    open_shop: Open, wire: Wire, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    monkeypatch.setattr(execution, "RETRY_SECONDS", 0.02)
    shop = open_shop(manifests.everything(), timeout=60)
    succeeded(shop.deploy("1"))
    before = shop.objects()
    bad = succeeded(shop.deploy("2"))
    asked = count()

    def every_third(sent: Sent) -> Fault | None:
        """And now and then the second: what asks in threes would else meet it at the same place."""
        if sent.is_watch:
            return None
        number = next(asked)
        return fault if (number + number // 7) % 3 == 1 else None

    rollback = shop.scene.confirm(bad)
    wire.goes_wrong = every_third
    execution.execute(rollback.pk, "worker")
    wire.goes_wrong = lambda sent: None
    rollback.refresh_from_db()
    succeeded(rollback)
    assert shop.objects() == before
