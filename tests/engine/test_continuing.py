"""A rollback that failed is taken up where it stopped, and so is what an ending worker leaves."""

import threading
import time
from datetime import datetime

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.policy import Denied
from dashboard.models import Deployment, Status, Step, StepStatus
from rollbacks import actions, execution, lifecycle, menus, plan, tasks
from rollbacks.plan import Configuration
from rollbacks.platforms.base import OutcomeState
from rollbacks.runtime import Runtime
from tests.engine import faults
from tests.engine.threads import begin
from tests.lab import Fleet
from tests.scene import Scene, revise, run

INSTALL = {"name": "Install", "kind": "lab.install"}


def drained(number: int) -> dict[str, object]:
    """A phase on one host that tells it something before and after its undo."""
    return {
        "name": f"Canary {number}",
        "select": {"hosts": [f"web-{number}"]},
        "steps": [INSTALL],
        "rollback_steps": [
            {"name": "Drain", "kind": "lab.note"},
            {"undo": "Install"},
            {"name": "Fill", "kind": "lab.note"},
        ],
    }


@pytest.fixture
def broken(canary: Scene, fleet: Fleet) -> Deployment:
    """A rollback of three drained phases that failed in the middle one."""
    revise(canary.workflow, {"phases": [drained(number) for number in (1, 2, 3)]})
    canary.deploy("1.4.1")
    canary.extra["before"] = dict(fleet.runs)
    bad = canary.deploy("1.4.2")
    fleet.broken = {"web-2": "undo"}
    failed = canary.roll_back(bad)
    assert failed.status == Status.FAILED
    fleet.broken.clear()
    fleet.calls.clear()
    return failed


def undone(deployment: Deployment) -> Deployment:
    assert deployment.rolls_back is not None
    return Deployment.objects.get(pk=deployment.rolls_back.pk)


def test_a_failed_rollback_goes_on_where_it_stopped(
    canary: Scene, fleet: Fleet, broken: Deployment
) -> None:
    done = canary.roll_back(undone(broken))
    assert (done.status, done.code) == (Status.SUCCEEDED, "VERIFIED")
    assert fleet.runs == canary.extra["before"]
    assert fleet.calls == [
        ("undo", "Undo Install", "web-2"),
        ("note", "Fill", "web-2"),
        ("note", "Drain", "web-1"),
        ("undo", "Undo Install", "web-1"),
        ("note", "Fill", "web-1"),
    ]
    skipped = Step.objects.filter(phase__deployment=done, status=StepStatus.SKIPPED)
    assert {step.message for step in skipped} == {f"Done by {broken}."}


def test_an_aborted_rollback_goes_on_where_it_stopped(canary: Scene, fleet: Fleet) -> None:
    revise(canary.workflow, {"phases": [drained(number) for number in (1, 2, 3)]})
    canary.deploy("1.4.1")
    before = dict(fleet.runs)
    bad = canary.deploy("1.4.2")
    rollback = canary.confirm(bad)

    def abort(host: str) -> None:
        actions.abort(rollback, canary.engineer, timezone.now())
        fleet.after_change = lambda host: None

    fleet.after_change = abort
    assert run(rollback).status == Status.ABORTED
    fleet.calls.clear()
    done = canary.roll_back(bad)
    assert done.status == Status.SUCCEEDED
    assert fleet.runs == before
    assert ("note", "Drain", "web-3") not in fleet.calls
    assert ("undo", "Undo Install", "web-3") not in fleet.calls
    assert ("note", "Fill", "web-3") in fleet.calls


def test_what_was_undone_and_changed_again_since_is_undone_again(
    canary: Scene, fleet: Fleet, broken: Deployment
) -> None:
    fleet.runs["web-3"] = "by-hand"
    done = canary.roll_back(undone(broken))
    assert done.status == Status.SUCCEEDED
    assert fleet.runs == canary.extra["before"]


def test_it_goes_on_through_several_failures(
    canary: Scene, fleet: Fleet, broken: Deployment
) -> None:
    fleet.broken = {"web-1": "undo"}
    assert canary.roll_back(undone(broken)).status == Status.FAILED
    fleet.broken.clear()
    fleet.calls.clear()
    done = canary.roll_back(undone(broken))
    assert done.status == Status.SUCCEEDED
    assert fleet.calls == [("undo", "Undo Install", "web-1"), ("note", "Fill", "web-1")]
    first = Step.objects.get(phase__deployment=done, phase__position=0, name="Drain")
    assert first.message == f"Done by {broken}."


def test_a_step_that_says_something_else_now_is_run(
    canary: Scene, fleet: Fleet, broken: Deployment
) -> None:
    phases = [drained(number) for number in (1, 2, 3)]
    phases[2]["rollback_steps"][0]["settings"] = {"louder": True}  # type: ignore[index]
    revise(canary.workflow, {"phases": phases})
    canary.roll_back(undone(broken))
    assert ("note", "Drain", "web-3") in fleet.calls
    assert ("note", "Fill", "web-3") not in fleet.calls


def test_after_something_else_was_tried_everything_is_run_again(
    canary: Scene, fleet: Fleet, broken: Deployment
) -> None:
    fleet.broken = {"web-1": "apply"}
    assert canary.deploy("1.4.3").status == Status.FAILED
    fleet.broken.clear()
    fleet.calls.clear()
    done = canary.roll_back(undone(broken))
    assert done.status == Status.SUCCEEDED
    assert [call for call in fleet.calls if call[0] == "note"] == [
        ("note", name, f"web-{number}") for number in (3, 2, 1) for name in ("Drain", "Fill")
    ]


def test_the_dialog_says_what_is_not_run_again(canary: Scene, broken: Deployment) -> None:
    bad = undone(broken)
    planned = plan.rollback(bad, Configuration.CURRENT)
    done = [(p.undoes, s.name) for p in planned.phases for s in p.steps if s.done_in]
    assert done == [("Canary 3", "Drain"), ("Canary 3", "Fill"), ("Canary 2", "Drain")]
    browser = Client()
    browser.force_login(canary.engineer)
    page = browser.get(reverse("rollback", args=[bad.pk])).content.decode()
    assert f"This continues rollback {broken.pk}" in page
    assert page.count("not run again") == 3 + 1
    [item, *_] = menus.of_page(broken, canary.engineer, timezone.now())
    assert item.label == "Continue rollback"


def test_whoever_may_roll_back_may_continue_and_nobody_else(
    canary: Scene, broken: Deployment
) -> None:
    with pytest.raises(Denied):
        canary.confirm(undone(broken), actor=canary.viewer)


# A worker that ends


def test_a_worker_that_ends_gives_its_work_to_the_next_between_two_calls(
    live_shop: Scene, fleet: Fleet
) -> None:
    """The call under way is finished; the next step is another worker's."""
    phases = [{"name": "Hosts", "steps": [INSTALL, {"name": "Tell", "kind": "lab.note"}]}]
    revise(live_shop.workflow, {"phases": phases})
    deployment = live_shop.start("1.4.1")
    runtime = Runtime()
    inside, told = threading.Event(), threading.Event()

    def linger(host: str) -> None:
        inside.set()
        told.wait(5)

    fleet.before_change = linger
    worker = begin(lambda: execution.execute(deployment.pk, "old", runtime))
    assert inside.wait(5)
    runtime.leave()
    told.set()
    worker.result(10)
    row = Deployment.objects.get(pk=deployment.pk)
    assert row.status == Status.RUNNING
    assert [host for _, _, host in fleet.calls] == ["web-1", "web-2", "web-3"]
    assert lifecycle.due(timezone.now()) == [deployment.pk]  # no lease to wait for
    done = run(deployment, "new")
    assert (done.status, done.lease_epoch) == (Status.SUCCEEDED, 2)
    assert [call[0] for call in fleet.calls] == ["apply"] * 3 + ["note"] * 3


def test_a_worker_that_ends_while_it_waits_does_not_wait_any_longer(
    live_shop: Scene, fleet: Fleet
) -> None:
    fleet.silent = {"web-2"}
    revise(live_shop.workflow, {})
    deployment = live_shop.start("1.4.1")
    runtime = Runtime()
    worker = begin(lambda: execution.execute(deployment.pk, "old", runtime))
    runtime.leave()
    worker.result(5)
    assert lifecycle.due(timezone.now()) == [deployment.pk]
    fleet.silent.clear()
    assert run(deployment).status == Status.SUCCEEDED


def test_a_heartbeat_that_comes_late_does_not_take_back_what_was_given_away(
    live_shop: Scene, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    phases = [{"name": "Hosts", "steps": [INSTALL, {"name": "Tell", "kind": "lab.note"}]}]
    revise(live_shop.workflow, {"phases": phases})
    deployment = live_shop.start("1.4.1")
    runtime, renew, renewing = Runtime(), lifecycle.renew, threading.Event()

    def linger(host: str) -> None:
        assert renewing.wait(5)
        runtime.leave()

    def renewed_late(lease: lifecycle.Lease, now: datetime) -> Status:
        renewing.set()
        time.sleep(0.7)  # as from a database that is busy
        return renew(lease, now)

    monkeypatch.setattr(settings, "HEARTBEAT_SECONDS", 0.1)
    monkeypatch.setattr(lifecycle, "renew", renewed_late)
    fleet.before_change = linger
    begin(lambda: execution.execute(deployment.pk, "old", runtime)).result(10)
    assert lifecycle.due(timezone.now()) == [deployment.pk]
    assert run(deployment).status == Status.SUCCEEDED


def test_a_worker_that_ends_begins_nothing_and_passes_the_hint_on(
    shop: Scene, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = shop.start("1.4.1")
    runtime, hinted = Runtime(), list[int]()
    runtime.leave()
    monkeypatch.setattr(tasks, "MACHINE", runtime)
    monkeypatch.setattr(tasks, "hint", hinted.append)
    tasks.execute(deployment.pk)
    assert hinted == [deployment.pk]
    assert Deployment.objects.get(pk=deployment.pk).status == Status.QUEUED
    run(deployment)


# Unknown, checking


def test_what_a_lost_worker_was_in_the_midst_of_is_unknown_until_it_was_looked_at(
    shop: Scene, fleet: Fleet
) -> None:
    deployment = shop.start("1.4.1")

    def crash(host: str) -> None:
        if host == "web-2":
            raise faults.Crash

    fleet.before_change = crash
    assert not faults.work(deployment)
    step = Step.objects.get(phase__deployment=deployment)
    step.outcomes = {"web-2": {"state": OutcomeState.RUNNING.value, "message": "Installing"}}
    step.save()
    faults.expire(deployment)
    pages: list[str] = []
    browser = Client()
    browser.force_login(shop.engineer)

    def look(verb: str) -> None:
        if verb == "apply":
            pages.append(browser.get(reverse("deployment", args=[deployment.pk])).content.decode())

    fleet.before_change, fleet.point = lambda host: None, look
    done = run(deployment, "successor")
    assert done.status == Status.SUCCEEDED
    [page] = pages
    assert "Outcome unknown, checking: web-2." in page
    assert "Outcome unknown: the worker was lost meanwhile. Checking." in page
    after = browser.get(reverse("deployment", args=[deployment.pk])).content.decode()
    assert "unknown" not in after.lower()
