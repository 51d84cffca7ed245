"""Every status to every status, leases and epochs."""

from contextlib import nullcontext
from datetime import timedelta

import pytest
from django.utils import timezone

from dashboard.models import FINISHED, Deployment, Status
from rollbacks import lifecycle
from rollbacks.lifecycle import TRANSITIONS, IllegalTransition, LeaseLost
from tests.engine.faults import expire
from tests.scene import Scene


def put(deployment: Deployment, status: Status) -> None:
    """As if it had come there."""
    Deployment.objects.filter(pk=deployment.pk).update(status=status)


@pytest.mark.parametrize("origin", list(Status))
def test_a_status_follows_another_only_as_the_table_says(shop: Scene, origin: Status) -> None:
    deployment = shop.start("1.4.1")
    for to in Status:
        put(deployment, origin)
        before = Deployment.objects.values("version").get(pk=deployment.pk)["version"]
        events = deployment.events.count()
        happens = to in TRANSITIONS[origin]
        with nullcontext() if happens else pytest.raises(IllegalTransition):
            lifecycle.advance(deployment.pk, to, now=timezone.now(), code="WHY", message="Because.")
        row = Deployment.objects.get(pk=deployment.pk)
        assert row.status == (to if happens else origin)
        assert row.version == before + happens
        assert deployment.events.count() == events + happens
        if happens:
            event = deployment.events.latest("pk")
            assert (event.status, event.code, event.message) == (to, "WHY", "Because.")
    # The scene's own check looks for what is stuck; this was put here by hand.
    put(deployment, Status.QUEUED)


def test_a_final_status_leads_nowhere() -> None:
    assert all(not TRANSITIONS[status] for status in FINISHED)
    assert set(TRANSITIONS) == set(Status)


def test_only_success_makes_a_deployment_current(shop: Scene) -> None:
    deployment = shop.start("1.4.1")
    put(deployment, Status.RUNNING)
    lifecycle.advance(deployment.pk, Status.FAILED, now=timezone.now())
    assert shop.target.current_deployment is None
    other = shop.start("1.4.2")
    put(other, Status.RUNNING)
    lifecycle.advance(other.pk, Status.SUCCEEDED, now=timezone.now())
    assert shop.target.current_deployment == other


def test_a_worker_of_an_older_epoch_can_write_nothing(shop: Scene) -> None:
    deployment, now = shop.start("1.4.1"), timezone.now()
    old = lifecycle.claim(deployment.pk, "old", now)
    assert old is not None
    expire(deployment)
    new = lifecycle.claim(deployment.pk, "new", now)
    assert new is not None
    assert new.epoch == old.epoch + 1
    events = deployment.events.count()
    with pytest.raises(LeaseLost), lifecycle.fenced(old):
        pytest.fail("it was let in")
    with pytest.raises(LeaseLost):
        lifecycle.renew(old, now)
    with pytest.raises(LeaseLost):
        lifecycle.status_of(old)
    for to in (Status.SUCCEEDED, Status.PAUSED, Status.FAILED):
        with pytest.raises(LeaseLost):
            lifecycle.advance(deployment.pk, to, now=now, epoch=old.epoch)
    lifecycle.release(old, now)
    assert deployment.pk not in lifecycle.due(now)
    assert deployment.events.count() == events
    assert lifecycle.renew(new, now) == Status.RUNNING


def test_an_execution_has_one_worker_at_a_time(shop: Scene) -> None:
    deployment, now = shop.start("1.4.1"), timezone.now()
    assert lifecycle.claim(deployment.pk, "one", now)
    assert lifecycle.claim(deployment.pk, "two", now) is None
    assert lifecycle.due(now) == []
    later = now + timedelta(seconds=11)
    assert lifecycle.due(later) == [deployment.pk]
    assert lifecycle.claim(deployment.pk, "two", later)


@pytest.mark.parametrize("status", [Status.PAUSED, *FINISHED])
def test_what_rests_is_not_claimed(shop: Scene, status: Status) -> None:
    deployment = shop.start("1.4.1")
    put(deployment, status)
    assert lifecycle.claim(deployment.pk, "worker", timezone.now()) is None
    assert lifecycle.due(timezone.now()) == []
    Deployment.objects.all().update(status=Status.QUEUED)


def test_nothing_is_claimed_that_does_not_exist(shop: Scene) -> None:
    assert lifecycle.claim(4711, "worker", timezone.now()) is None


def test_a_lease_that_was_given_back_is_due_at_once(shop: Scene) -> None:
    deployment, now = shop.start("1.4.1"), timezone.now()
    lease = lifecycle.claim(deployment.pk, "worker", now)
    assert lease is not None
    lifecycle.release(lease, now)
    assert lifecycle.due(now) == [deployment.pk]
