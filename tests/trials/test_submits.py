"""A thousand people press Rollback at once: one rollback, and everybody is led to it."""

import random
import threading
from collections import Counter
from collections.abc import Callable

from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AuditEvent
from accounts.vocabulary import Verb
from dashboard.models import Deployment, Status
from rollbacks import actions, execution
from rollbacks.plan import Configuration
from tests.acceptance.browser import led_to
from tests.api.callers import act, data, signed_in
from tests.engine.threads import begin
from tests.graphql.conftest import Caller
from tests.scene import Scene

AT_ONCE = 50
Submit = Callable[[], int]


def rounds() -> int:
    """SQLite lets one write at a time, so that a longer queue there tries nothing more."""
    return 20 if connection.vendor == "postgresql" else 2


def ways(shop: Scene, bad: Deployment) -> list[Submit]:
    """The action itself mostly, the page and the API; each gives the id it was led to."""
    planned, _ = actions.confirmation(bad, shop.engineer, Configuration.CURRENT, timezone.now())
    assert planned is not None
    seen = planned.fingerprint
    session = signed_in(shop.engineer)

    def caller() -> Caller:
        """One more window of the same person: a client is not for several threads."""
        window = Client(enforce_csrf_checks=True)
        window.cookies = session.client.cookies
        return Caller(window, session.headers)

    def by_action() -> int:
        asked = actions.RollbackRequest(seen)
        return actions.roll_back(bad.pk, shop.engineer, asked, timezone.now()).pk

    def by_page() -> int:
        sent = {"fingerprint": seen, "configuration": Configuration.CURRENT.value}
        where = reverse("rollback", args=[bad.pk])
        headers = {**session.headers, "HX-Request": "true"}
        return led_to(caller().client.post(where, sent, headers=headers)).pk

    def by_api() -> int:
        sent = {"executionId": str(bad.pk), "fingerprint": seen}
        answer = act(caller(), "rollbackDeployment", "execution { id }", **sent)
        return int(data(answer, "rollbackDeployment")["execution"]["id"])

    return [by_action] * 18 + [by_page, by_api]


def test_a_thousand_submits_at_once_are_one_rollback(
    live_shop: Scene, settings: Settings, hints: list[int]
) -> None:
    settings.API_CALLS_PER_MINUTE = 10_000
    live_shop.deploy("1.4.1")
    bad = live_shop.deploy("1.4.2")
    hints.clear()
    submits = ways(live_shop, bad)
    together = threading.Barrier(AT_ONCE)

    def press(person: int) -> list[int]:
        chosen = random.Random(person).choices(submits, k=rounds())
        led = []
        for submit in chosen:
            together.wait(60)
            led.append(submit())
        return led

    people = [begin(lambda person=person: press(person)) for person in range(AT_ONCE)]  # type: ignore[misc]
    led = Counter(pk for person in people for pk in person.result(400))
    rollback = bad.rollbacks.get()
    assert led == {rollback.pk: rounds() * AT_ONCE}
    assert hints == [rollback.pk]
    assert AuditEvent.objects.filter(verb=Verb.ROLLBACK_REQUESTED).count() == 1
    assert [event.status for event in rollback.events.all()] == [Status.QUEUED]
    assert Deployment.objects.count() == 3
    execution.execute(rollback.pk, "worker")
    assert bad.rollbacks.get().status == Status.SUCCEEDED
