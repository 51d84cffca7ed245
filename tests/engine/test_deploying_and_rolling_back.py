"""The engine's loop, forwards and back, on a platform that can fail anywhere."""

from django.utils import timezone

from dashboard.models import Direction, Instance, Status
from rollbacks import actions
from tests.lab import Fleet
from tests.scene import Scene, run, verdicts


def test_a_deployment_reaches_every_host_and_becomes_current(shop: Scene, fleet: Fleet) -> None:
    first = shop.deploy("1.4.1")
    assert (first.status, first.code) == (Status.SUCCEEDED, "VERIFIED"), first.message
    assert set(fleet.runs.values()) == {f"{first.pk}-1.4.1"}
    assert shop.target.current_deployment == first
    assert {each.version for each in Instance.objects.all()} == {"1.4.1"}


def test_a_rollback_returns_every_host_to_what_it_ran_before(shop: Scene, fleet: Fleet) -> None:
    shop.deploy("1.4.1")
    before = dict(fleet.runs)
    bad = shop.deploy("1.4.2")
    rollback = shop.roll_back(bad, note="prices are zero")
    assert (rollback.status, rollback.code) == (Status.SUCCEEDED, "VERIFIED"), rollback.message
    assert fleet.runs == before
    assert rollback.rolls_back == bad
    assert rollback.artifact is not None
    assert rollback.artifact.version == "1.4.1"
    assert shop.target.current_deployment == rollback
    assert set(verdicts(rollback).values()) == {"ROLLED_BACK"}


def test_a_failing_deployment_undoes_itself(shop: Scene, fleet: Fleet) -> None:
    good = shop.deploy("1.4.1")
    before = dict(fleet.runs)
    fleet.broken["web-2"] = "apply"
    bad = shop.deploy("1.4.2")
    assert (bad.status, bad.code) == (Status.FAILED, "ROLLED_BACK"), bad.message
    assert fleet.runs == before
    assert shop.target.current_deployment == good
    assert [phase.direction for phase in bad.phases.all()] == [Direction.FORWARD, Direction.BACK]


def test_a_failed_rollback_can_be_started_again_and_finishes(shop: Scene, fleet: Fleet) -> None:
    shop.deploy("1.4.1")
    before = dict(fleet.runs)
    bad = shop.deploy("1.4.2")
    fleet.broken["web-2"] = "undo"
    failed = shop.roll_back(bad)
    assert (failed.status, failed.code) == (Status.FAILED, "STEP_FAILED")
    assert "web-2" in failed.message
    assert verdicts(failed) == {
        "web-1": "ROLLED_BACK",
        "web-2": "DIFFERENT",
        "web-3": "ROLLED_BACK",
    }
    fleet.broken.clear()
    again = shop.roll_back(bad)
    assert again.status == Status.SUCCEEDED
    assert fleet.runs == before
    assert [call for call in fleet.calls if call[0] == "undo"].count(
        ("undo", "Undo Install", "web-1")
    ) == 1


def test_what_cannot_be_seen_afterwards_pauses_and_can_be_looked_at_again(
    shop: Scene, fleet: Fleet
) -> None:
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")
    rollback = shop.confirm(bad)

    def falls_silent(host: str) -> None:
        if host == "web-3":
            fleet.silent.add("web-1")

    fleet.before_change = falls_silent
    paused = run(rollback)
    assert (paused.status, paused.code) == (Status.PAUSED, "UNVERIFIED")
    assert "web-1" in paused.message
    fleet.silent.clear()
    actions.resume(paused, shop.engineer, timezone.now())
    assert run(paused).status == Status.SUCCEEDED
