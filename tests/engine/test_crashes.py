"""A worker that dies anywhere, and its successor: every change is made once, every story ends."""

import random
from collections import Counter

import pytest
from django.utils import timezone

from dashboard.models import Deployment, Status, StepStatus
from rollbacks import actions, lifecycle
from tests.engine.faults import AFTER_THE_END, Points, expire, finish, work
from tests.lab import Fleet
from tests.scene import Scene, run


def changed_once(fleet: Fleet, verb: str) -> None:
    """Each host was changed, and only once."""
    done = Counter(host for each, _, host in fleet.calls if each == verb)
    assert done == dict.fromkeys(fleet.runs, 1)


def story(deployment: Deployment) -> list[str]:
    return [event.status for event in deployment.events.all()]


STRAIGHT = [Status.QUEUED, Status.RUNNING, Status.SUCCEEDED]


def test_a_deployment_survives_the_death_of_its_worker_at_every_point(
    shop: Scene, fleet: Fleet, points: Points
) -> None:
    for number in range(1, 500):
        fleet.calls.clear()
        deployment = shop.start(f"1.{number}")
        points.die_at(number)
        lived = work(deployment)
        points.live()
        done = finish(deployment)
        assert (done.status, done.code) == (Status.SUCCEEDED, "VERIFIED"), done.message
        assert set(fleet.runs.values()) == {f"{deployment.pk}-1.{number}"}
        changed_once(fleet, "apply")
        assert story(done) == STRAIGHT
        assert shop.target.current_deployment == done
        if lived:
            break
    assert number > 25, "the points are no longer where they were"


def test_a_rollback_survives_the_death_of_its_worker_at_every_point(
    shop: Scene, fleet: Fleet, points: Points
) -> None:
    shop.deploy("1.4.1")
    first = dict(fleet.runs)
    for number in range(1, 500):
        bad = shop.deploy(f"2.{number}")
        fleet.calls.clear()
        rollback = shop.confirm(bad)
        points.die_at(number)
        lived = work(rollback)
        points.live()
        done = finish(rollback)
        assert (done.status, done.code) == (Status.SUCCEEDED, "VERIFIED"), done.message
        assert fleet.runs == first
        changed_once(fleet, "undo")
        assert story(done) == STRAIGHT
        assert shop.target.current_deployment == done
        if lived:
            break
    assert number > 25, "the points are no longer where they were"


def test_a_failing_deployment_survives_the_death_of_its_worker_at_every_point(
    shop: Scene, fleet: Fleet, points: Points
) -> None:
    good = shop.deploy("1.4.1")
    first = dict(fleet.runs)
    fleet.broken["web-3"] = "apply"
    for number in range(1, 500):
        fleet.calls.clear()
        deployment = shop.start(f"1.{number}")
        points.die_at(number)
        lived = work(deployment)
        points.live()
        done = finish(deployment)
        assert (done.status, done.code) == (Status.FAILED, "ROLLED_BACK"), done.message
        assert "web-3: exit status 1" in done.message
        assert fleet.runs == first
        assert Counter(fleet.calls) == Counter(
            [(verb, name, host) for verb, name in (("apply", "Install"), ("undo", "Undo Install"))
             for host in ("web-1", "web-2")]
        )  # fmt: skip
        assert story(done) == [Status.QUEUED, Status.RUNNING, Status.FAILED]
        assert shop.target.current_deployment == good
        if lived:
            break
    assert number > 40, "the points are no longer where they were"


@pytest.mark.parametrize("seed", range(8))
def test_a_rollback_survives_workers_that_keep_dying(
    canary: Scene, fleet: Fleet, points: Points, seed: int
) -> None:
    canary.deploy("1.4.1")
    first = dict(fleet.runs)
    bad = canary.deploy("1.4.2")
    rollback = canary.confirm(bad)
    chance = random.Random(seed)
    fleet.calls.clear()
    points.dies = lambda number: chance.random() < 0.1
    for number in range(200):
        expire(rollback)
        if work(rollback, f"worker-{number}"):
            break
    points.live()
    done = finish(rollback)
    assert done.status == Status.SUCCEEDED, f"seed {seed}: {done.message}"
    assert fleet.runs == first, f"seed {seed}"
    changed_once(fleet, "undo")
    assert story(done) == STRAIGHT


def test_an_end_is_written_whole_or_not_at_all(shop: Scene, fleet: Fleet, points: Points) -> None:
    """A successor that found the steps closed and the execution open would have nothing to do."""
    for number in range(1, 500):
        fleet.silent = {"web-1"}
        deployment = shop.start(f"1.{number}")
        points.die_at(number)
        lived = work(deployment)
        points.live()
        fleet.silent.clear()
        done = finish(deployment)
        steps = {step.status for phase in done.phases.all() for step in phase.steps.all()}
        ends = (done.status, done.code, steps)
        assert ends in (
            (Status.FAILED, "NOT_SEEN", {StepStatus.SKIPPED}),
            (Status.SUCCEEDED, "VERIFIED", {StepStatus.SUCCEEDED}),
        ), points.passed[-1]
        if lived:
            break
    assert number > 5, "the points are no longer where they were"


def test_an_abort_ends_at_once_though_the_worker_died(
    shop: Scene, fleet: Fleet, points: Points
) -> None:
    """Whatever the point, the successor changes nothing more and tells where each host is."""
    shop.deploy("1.4.1")
    for number in range(1, 500):
        deployment = shop.start(f"1.{number}")
        points.die_at(number)
        lived = work(deployment)
        points.live()
        if lived:
            break
        fleet.calls.clear()
        row = Deployment.objects.get(pk=deployment.pk)
        if row.is_finished:  # it died after its last write
            continue
        actions.abort(deployment, shop.engineer, timezone.now())
        done = finish(deployment)
        assert done.status == Status.ABORTED
        assert fleet.calls == [], points.passed[-1]
        told = {host for host in fleet.runs if f"{host} at 1.{number}" in done.message}
        changed = {host for host, runs in fleet.runs.items() if runs == f"{done.pk}-1.{number}"}
        assert told == changed, (points.passed[-1], done.message)
        assert {step.status for phase in done.phases.all() for step in phase.steps.all()} <= {
            "SUCCEEDED", "ABORTED", "SKIPPED",
        }  # fmt: skip
    assert number > 30


def test_the_panel_is_looked_at_again_when_the_worker_dies_after_its_last_word(
    shop: Scene, fleet: Fleet, points: Points
) -> None:
    """What is seen is kept after the status; the sweep sees to it that this is not lost."""
    shop.deploy("1.4.1")
    assert shop.target.sync_tried_at is not None
    deployment = shop.start("1.4.2")
    points.dies = lambda number: points.passed[-1] == AFTER_THE_END
    assert not work(deployment)
    assert Deployment.objects.get(pk=deployment.pk).status == Status.SUCCEEDED
    points.live()
    assert shop.target.sync_tried_at is None


def test_a_lost_hint_loses_nothing(shop: Scene, hints: list[int]) -> None:
    deployment = shop.start("1.4.1")
    hints.clear()
    assert lifecycle.due(timezone.now()) == [deployment.pk]
    assert run(deployment).status == Status.SUCCEEDED
    assert lifecycle.due(timezone.now()) == []


def test_a_hint_that_comes_twice_changes_nothing(shop: Scene, fleet: Fleet) -> None:
    deployment = shop.deploy("1.4.1")
    calls = list(fleet.calls)
    run(deployment)
    assert fleet.calls == calls
    assert story(deployment) == STRAIGHT
