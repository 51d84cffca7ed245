"""Abort: nothing more is changed, nothing is cleaned up, and the end says where each host is."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from accounts.policy import Denied
from accounts.vocabulary import AccountPermission, Action
from dashboard.models import Deployment, Status, Step, StepStatus
from rollbacks import actions, lifecycle, pulse
from rollbacks.eligibility import Refused
from tests.engine.faults import Crash, expire
from tests.engine.threads import begin
from tests.lab import Fleet
from tests.scene import Scene, group, person, run, verdicts


def abort(shop: Scene, deployment: Deployment) -> None:
    actions.abort(deployment, shop.engineer, timezone.now())


def test_what_is_queued_is_aborted_at_once(shop: Scene, fleet: Fleet) -> None:
    deployment = shop.start("1.4.1")
    abort(shop, deployment)
    done = run(deployment)
    assert done.status == Status.ABORTED
    assert done.finished_at is not None
    assert "nothing was touched" in done.message
    assert fleet.calls == []
    assert done.phases.get().steps.get().status == StepStatus.SKIPPED
    assert lifecycle.due(timezone.now()) == []


def test_an_abort_inside_a_step_stops_it_within_two_seconds(live_shop: Scene, fleet: Fleet) -> None:
    live_shop.deploy("1.4.1")
    first = dict(fleet.runs)
    fleet.calls.clear()
    deployment = live_shop.start("1.4.2")
    inside, aborted = threading.Event(), threading.Event()

    def linger(host: str) -> None:
        if host == "web-2":
            inside.set()
            aborted.wait(5)
            time.sleep(2)

    fleet.before_change = linger
    worker = begin(lambda: run(deployment))
    assert inside.wait(5)
    abort(live_shop, deployment)
    aborted.set()
    done = worker.result(10)
    assert (done.status, done.code) == (Status.ABORTED, "ABORTED")
    assert fleet.calls == [("apply", "Install", "web-1")]
    assert fleet.runs == {**first, "web-1": f"{deployment.pk}-1.4.2"}
    assert done.message == "Aborted by engineer. Left as they are: web-1 at 1.4.2."
    assert done.phases.get().steps.get().status == StepStatus.ABORTED
    assert [phase.direction for phase in done.phases.all()] == ["FORWARD"]


def test_nothing_is_begun_while_nobody_can_be_asked_for_an_abort(
    live_shop: Scene, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    live_shop.deploy("1.4.1")
    fleet.calls.clear()
    deployment = live_shop.start("1.4.2")
    inside, answers = threading.Event(), threading.Event()
    for name in ("status_of", "renew"):
        usual = getattr(lifecycle, name)

        def held_up(*args: Any, usual: Callable[..., Any] = usual) -> Any:
            if inside.is_set():
                answers.wait(10)
            return usual(*args)

        monkeypatch.setattr(lifecycle, name, held_up)

    def linger(host: str) -> None:
        if host == "web-2":
            inside.set()
            time.sleep(2 * pulse.FRESH_SECONDS)

    fleet.before_change = linger
    worker = begin(lambda: run(deployment))
    assert inside.wait(5)
    abort(live_shop, deployment)
    time.sleep(2 * pulse.FRESH_SECONDS + 0.5)
    assert fleet.calls == [("apply", "Install", "web-1")]
    answers.set()
    done = worker.result(10)
    assert (done.status, done.code) == (Status.ABORTED, "ABORTED")
    assert fleet.calls == [("apply", "Install", "web-1")]


def test_an_abort_during_a_wait_is_noticed_within_two_seconds(
    live_shop: Scene, fleet: Fleet
) -> None:
    live_shop.deploy("1.4.1")
    bad = live_shop.deploy("1.4.2")
    rollback = live_shop.confirm(bad)
    tried = threading.Event()

    def falls_silent(host: str) -> None:
        fleet.silent.add("web-3")

    def tell(label: str) -> None:
        if label == "undo":
            tried.set()

    fleet.before_change, fleet.point = falls_silent, tell
    worker = begin(lambda: run(rollback))
    assert tried.wait(5)
    abort(live_shop, rollback)
    began = time.monotonic()
    done = worker.result(10)
    assert time.monotonic() - began < 2.5
    assert done.status == Status.ABORTED
    assert "web-1 at 1.4.1, web-2 at 1.4.1, web-3 at an unknown version" in done.message


def test_what_is_paused_is_aborted_by_the_next_worker_which_changes_nothing(
    canary: Scene, fleet: Fleet
) -> None:
    canary.deploy("1.4.1")
    bad = canary.deploy("1.4.2")
    fleet.after_change = lambda host: canary.engineer.groups.clear()
    paused = canary.roll_back(bad)
    assert paused.status == Status.PAUSED
    fleet.calls.clear()
    lead = person("lead", group("Leads", Action.EXECUTE_WORKFLOW))
    actions.abort(paused, lead, timezone.now())
    assert lifecycle.due(timezone.now()) == [paused.pk]
    done = run(paused)
    assert done.status == Status.ABORTED
    assert fleet.calls == []
    assert done.message == "Aborted by lead. Left as they are: web-3 at 1.4.1."


def test_an_abort_with_a_dead_worker_ends_when_its_lease_has(shop: Scene, fleet: Fleet) -> None:
    shop.deploy("1.4.1")
    deployment = shop.start("1.4.2")
    lifecycle.claim(deployment.pk, "dead", timezone.now())
    fleet.calls.clear()
    abort(shop, deployment)
    run(deployment)
    assert Deployment.objects.get(pk=deployment.pk).status == Status.ABORTING
    expire(deployment)
    done = run(deployment)
    assert done.status == Status.ABORTED
    assert fleet.calls == []
    assert "No instance was touched." in done.message


def test_an_abort_names_what_a_dead_worker_was_at_though_nothing_shows(
    shop: Scene, fleet: Fleet
) -> None:
    shop.deploy("1.4.1")
    deployment = shop.start("1.4.2")

    def die(host: str) -> None:
        raise Crash(host)

    fleet.before_change = die
    with pytest.raises(Crash):
        run(deployment)
    Step.objects.filter(phase__deployment=deployment).update(outcomes={})  # it came to no report
    abort(shop, deployment)
    expire(deployment)
    done = run(deployment)
    assert done.message.startswith("Aborted by engineer. Left as they are: web-1 at 1.4.1")


def test_an_abort_that_sees_nothing_says_so_and_ends(shop: Scene, fleet: Fleet) -> None:
    shop.deploy("1.4.1")
    deployment = shop.start("1.4.2")

    def gone(host: str) -> None:
        if host == "web-2":
            fleet.is_unreachable = True
            actions.abort(deployment, shop.engineer, timezone.now())

    fleet.after_change = gone
    done = run(deployment)
    assert done.status == Status.ABORTED
    assert "web-1 at an unknown version (no answer)" in done.message


def test_an_abort_that_sees_nothing_of_what_it_did_not_touch_still_tells_of_every_instance(
    shop: Scene, fleet: Fleet
) -> None:
    shop.deploy("1.4.1")
    deployment = shop.start("1.4.2")
    lifecycle.claim(deployment.pk, "dead", timezone.now())
    abort(shop, deployment)
    expire(deployment)
    fleet.is_unreachable = True
    done = run(deployment)
    assert done.status == Status.ABORTED
    assert verdicts(done) == dict.fromkeys(fleet.runs, "UNTOUCHED")


def test_who_may_only_roll_back_cannot_abort(shop: Scene) -> None:
    on_call = person(
        "on call",
        group("On call", Action.ROLLBACK_WORKFLOW, account=[AccountPermission.MANAGE_APPLICATIONS]),
    )
    deployment = shop.start("1.4.1")
    for nobody in (on_call, shop.viewer, shop.stranger, shop.former):
        with pytest.raises(Denied):
            actions.abort(deployment, nobody, timezone.now())
    assert Deployment.objects.get(pk=deployment.pk).status == Status.QUEUED


def test_what_has_ended_is_not_aborted(shop: Scene) -> None:
    deployment = shop.deploy("1.4.1")
    with pytest.raises(Refused):
        abort(shop, deployment)
    assert Deployment.objects.get(pk=deployment.pk).status == Status.SUCCEEDED


def test_a_second_abort_is_refused_and_changes_nothing(shop: Scene) -> None:
    deployment = shop.start("1.4.1")
    lifecycle.claim(deployment.pk, "worker", timezone.now())
    abort(shop, deployment)
    with pytest.raises(Refused):
        abort(shop, deployment)
    assert deployment.events.filter(status=Status.ABORTING).count() == 1


def test_an_aborted_rollback_can_be_started_again(shop: Scene, fleet: Fleet) -> None:
    shop.deploy("1.4.1")
    first = dict(fleet.runs)
    bad = shop.deploy("1.4.2")
    rollback = shop.confirm(bad)
    abort(shop, rollback)
    again = shop.roll_back(bad)
    assert again.pk != rollback.pk
    assert again.status == Status.SUCCEEDED
    assert fleet.runs == first
