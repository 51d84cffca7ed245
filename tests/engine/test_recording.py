"""What is asked for is a row of the audit trail, done or refused."""

import pytest
from django.utils import timezone

from accounts import administration, audit
from accounts.models import AuditEvent, UserGroup
from accounts.policy import Denied
from accounts.rows import NOTHING
from accounts.vocabulary import Verb
from dashboard.models import Deployment, Status
from rollbacks import actions, tasks
from rollbacks.eligibility import Refused
from rollbacks.plan import Configuration
from tests.lab import Fleet
from tests.scene import Scene


def trail() -> list[tuple[str, str, str]]:
    events = AuditEvent.objects.order_by("number").exclude(verb=Verb.GRANTS_CHANGED)
    return [(event.verb, event.actor_name, event.subject) for event in events]


def test_a_rollback_is_recorded_with_who_what_and_why(shop: Scene) -> None:
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")

    with audit.coming_from(audit.Origin("192.0.2.7")):
        rollback = shop.confirm(bad, note="Prices are wrong")

    event = AuditEvent.objects.first()
    assert event is not None
    assert (event.verb, event.actor, event.origin) == (
        Verb.ROLLBACK_REQUESTED,
        shop.engineer,
        "192.0.2.7",
    )
    assert event.subject_id == str(rollback.pk)
    assert event.before == {"artifact": "1.4.2"}
    assert event.after["artifact"] == "1.4.1"
    assert event.after["reason"] == "Prices are wrong"
    assert list(audit.faults()) == []


def test_who_may_not_is_recorded_and_nothing_is_started(shop: Scene) -> None:
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")
    before = Deployment.objects.count()
    asked = actions.RollbackRequest("unseen")

    with pytest.raises(Denied):
        actions.confirmation(bad, shop.viewer, Configuration.CURRENT, timezone.now())
    with pytest.raises(Denied):
        actions.roll_back(bad.pk, shop.viewer, asked, timezone.now())
    with pytest.raises(Denied):
        actions.rerun(bad, shop.viewer, timezone.now())

    refused = [row for row in trail() if row[0] == Verb.REFUSED]
    assert refused == [(Verb.REFUSED, "viewer", f"Deployment {bad.pk}")] * 3
    newest = AuditEvent.objects.first()
    assert newest is not None
    assert "Execute Workflow on Shop / production" in newest.message
    assert Deployment.objects.count() == before


def test_what_the_state_forbids_is_recorded_too(shop: Scene) -> None:
    only = shop.deploy("1.4.1")

    with pytest.raises(Refused):
        actions.roll_back(only.pk, shop.engineer, actions.RollbackRequest("unseen"), timezone.now())

    newest = AuditEvent.objects.first()
    assert newest is not None
    assert newest.verb == Verb.REFUSED
    assert newest.message.startswith("Rollback requested: ")


def test_a_second_click_on_the_same_rollback_is_no_second_request(shop: Scene) -> None:
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")

    plan, _ = actions.confirmation(bad, shop.engineer, Configuration.CURRENT, timezone.now())
    assert plan is not None
    asked = actions.RollbackRequest(plan.fingerprint)
    first = actions.roll_back(bad.pk, shop.engineer, asked, timezone.now())
    assert actions.roll_back(bad.pk, shop.engineer, asked, timezone.now()) == first

    assert [row[0] for row in trail()].count(Verb.ROLLBACK_REQUESTED) == 1


def test_a_right_lost_while_it_runs_is_recorded_with_the_pause(canary: Scene, fleet: Fleet) -> None:
    canary.deploy("1.4.1")
    bad = canary.deploy("1.4.2")
    engineers = UserGroup.objects.get(name="Engineers")
    fleet.after_change = lambda host: administration.set_permissions(engineers, NOTHING, by=None)

    rollback = canary.confirm(bad)
    tasks.execute(rollback.pk)

    rollback.refresh_from_db()
    assert (rollback.status, rollback.code) == (Status.PAUSED, "RIGHT_LOST")
    event = AuditEvent.objects.first()
    assert event is not None
    assert (event.verb, event.subject) == (Verb.RIGHT_LOST, f"Rollback {rollback.pk}")
    assert event.origin.startswith("worker ")
    assert list(audit.faults()) == []
