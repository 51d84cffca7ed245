"""What is seen decides: verdicts, sentences, and the record of what runs."""

from datetime import timedelta

import pytest
from django.utils import timezone

from dashboard.models import Deployment, Instance, Status
from rollbacks import actions, observation
from rollbacks.platforms.base import Observation, ObservedInstance
from tests.engine.conftest import three_phases
from tests.lab import Fleet
from tests.scene import Scene, revise, run, verdicts

QUICK = {"name": "Install", "kind": "lab.install", "timeout": 0.2}


def test_the_same_version_of_another_deployment_is_not_as_before(shop: Scene, fleet: Fleet) -> None:
    """Identity counts, not the version: 1.4.1 unpacked by somebody else may be anything."""
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")
    fleet.after_change = lambda host: fleet.runs.update({"web-2": "99-1.4.1"})
    failed = shop.roll_back(bad)
    assert (failed.status, failed.code) == (Status.FAILED, "VERIFICATION_FAILED")
    assert failed.message == "Not as before: web-2."
    assert verdicts(failed)["web-2"] == "DIFFERENT"
    assert shop.target.current_deployment == bad


def test_a_host_that_is_ill_only_afterwards_is_not_as_before(shop: Scene, fleet: Fleet) -> None:
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")
    fleet.after_change = fleet.unhealthy.add
    failed = shop.roll_back(bad)
    assert (failed.status, failed.code) == (Status.FAILED, "VERIFICATION_FAILED")


def test_a_host_that_was_ill_before_is_as_before(shop: Scene, fleet: Fleet) -> None:
    shop.deploy("1.4.1")
    fleet.unhealthy.add("web-2")
    bad = shop.deploy("1.4.2")
    done = shop.roll_back(bad)
    assert (done.status, done.code) == (Status.SUCCEEDED, "VERIFIED"), done.message
    assert set(verdicts(done).values()) == {"ROLLED_BACK"}


def test_a_host_that_cannot_be_seen_before_keeps_a_deployment_from_touching_any(
    shop: Scene, fleet: Fleet
) -> None:
    shop.deploy("1.4.1")
    first = dict(fleet.runs)
    fleet.silent.add("web-2")
    failed = shop.deploy("1.4.2")
    assert (failed.status, failed.code) == (Status.FAILED, "NOT_SEEN")
    assert failed.message == "web-2 did not answer. Nothing was touched."
    assert fleet.runs == first
    assert shop.target.current_deployment != failed


def test_a_platform_that_cannot_be_reached_keeps_a_deployment_from_touching_any(
    shop: Scene, fleet: Fleet
) -> None:
    fleet.is_unreachable = True
    failed = shop.deploy("1.4.1")
    assert (failed.status, failed.code) == (Status.FAILED, "NOT_SEEN")
    assert "The network is down" in failed.message
    assert fleet.calls == []


def test_a_rollback_goes_on_though_nothing_could_be_seen_before_it(
    shop: Scene, fleet: Fleet
) -> None:
    shop.deploy("1.4.1")
    first = dict(fleet.runs)
    bad = shop.deploy("1.4.2")
    fleet.is_unreachable = True

    def back_again(label: str) -> None:
        if label == "undo":
            fleet.is_unreachable = False

    fleet.point = back_again
    done = shop.roll_back(bad)
    assert done.status == Status.SUCCEEDED, done.message
    assert fleet.runs == first


def test_a_rollback_after_which_nothing_can_be_seen_pauses_and_forgets_no_instance(
    shop: Scene, fleet: Fleet
) -> None:
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")

    def gone(host: str) -> None:
        fleet.is_unreachable = True

    fleet.after_change = gone
    paused = shop.roll_back(bad)
    assert (paused.status, paused.code) == (Status.PAUSED, "UNVERIFIED")
    assert set(verdicts(paused).values()) == {"UNKNOWN"}
    assert Instance.objects.count() == 3
    fleet.is_unreachable = False
    actions.resume(paused, shop.engineer, timezone.now())
    assert run(paused).status == Status.SUCCEEDED


def test_what_gives_no_answer_at_first_is_looked_at_again(shop: Scene, fleet: Fleet) -> None:
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")
    looks = 0

    def gone(host: str) -> None:
        fleet.is_unreachable = True

    def back_at_the_third_look(label: str) -> None:
        nonlocal looks
        looks += fleet.is_unreachable and label == "observe"
        if looks == 3:
            fleet.is_unreachable = False

    fleet.after_change, fleet.point = gone, back_at_the_third_look
    done = shop.roll_back(bad)
    assert (done.status, done.code) == (Status.SUCCEEDED, "VERIFIED")
    assert looks == 3


def test_a_deployment_that_is_not_seen_afterwards_does_not_say_that_it_was(
    shop: Scene, fleet: Fleet
) -> None:
    shop.deploy("1.4.1")

    def gone(host: str) -> None:
        fleet.is_unreachable = True

    fleet.after_change = gone
    done = shop.deploy("1.4.2")
    assert (done.status, done.code) == (Status.SUCCEEDED, "UNVERIFIED")
    assert done.message == "Seen on 0 of 3 instances: 1.4.2."
    assert {each.version for each in Instance.objects.all()} == {"1.4.1"}
    assert Instance.objects.count() == 3


def test_a_failing_look_in_our_own_code_does_not_keep_an_abort_from_ending(
    shop: Scene, fleet: Fleet
) -> None:
    deployment = shop.start("1.4.1")

    def stumble(label: str) -> None:
        if label == "observe" and Deployment.objects.get().status == Status.ABORTING:
            raise ValueError("a fault in the platform's code")

    def abort(host: str) -> None:
        if host == "web-1":
            actions.abort(deployment, shop.engineer, timezone.now())

    fleet.point, fleet.after_change = stumble, abort
    done = run(deployment)
    assert done.status == Status.ABORTED
    assert "web-1 at an unknown version" in done.message


def test_a_failed_deployment_that_is_not_as_before_says_what_failed_first(
    shop: Scene, fleet: Fleet
) -> None:
    shop.deploy("1.4.1")
    fleet.broken["web-3"] = "apply"

    def tamper(label: str) -> None:
        if label == "undo":
            fleet.after_change = lambda host: fleet.runs.update({"web-2": "99-1.4.1"})

    fleet.point = tamper
    failed = shop.deploy("1.4.2")
    assert (failed.status, failed.code) == (Status.FAILED, "VERIFICATION_FAILED")
    assert "Install: web-3: exit status 1" in failed.message
    assert "Not as before: web-2." in failed.message


def test_a_failed_deployment_shows_evidence_for_each_instance_it_undid(
    canary: Scene, fleet: Fleet
) -> None:
    canary.deploy("1.4.1")
    first = dict(fleet.runs)
    fleet.broken["web-2"] = "apply"
    failed = canary.deploy("1.4.2")
    assert (failed.status, failed.code) == (Status.FAILED, "ROLLED_BACK")
    assert verdicts(failed) == {
        "web-1": "ROLLED_BACK",
        "web-2": "ROLLED_BACK",
        "web-3": "UNTOUCHED",
    }
    assert fleet.runs == first
    assert [phase.name for phase in failed.phases.all()] == [
        "Canary 1", "Canary 2", "Canary 3", "Rollback Canary 2", "Rollback Canary 1",
    ]  # fmt: skip


def test_a_deployment_that_failed_before_it_captured_anything_says_so(
    shop: Scene, fleet: Fleet
) -> None:
    revise(shop.workflow, {"phases": [{"name": "Hosts", "steps": [QUICK]}]})
    shop.deploy("1.4.1")
    first = dict(fleet.runs)
    fleet.point = lambda label: fleet.silent.add("web-2") if label == "capture" else None
    failed = shop.deploy("1.4.2")
    assert (failed.status, failed.code) == (Status.FAILED, "ROLLED_BACK")
    assert failed.message.startswith("Install: web-2 did not answer (gave up after 0.2 s). ")
    assert failed.message.endswith(" Nothing was touched.")
    assert fleet.runs == first


def test_a_phase_that_failed_before_it_captured_anything_was_not_touched(
    canary: Scene, fleet: Fleet
) -> None:
    phases = three_phases()
    phases[1]["steps"] = [QUICK]
    revise(canary.workflow, {"failure_strategy": "ROLLBACK_PHASE", "phases": phases})
    canary.deploy("1.4.1")
    fleet.point = lambda label: fleet.silent.add("web-2") if label == "capture" else None
    failed = canary.deploy("1.4.2")
    assert (failed.status, failed.code) == (Status.FAILED, "PHASE_ROLLED_BACK")
    assert failed.message.endswith("Canary 2 was not touched; earlier phases stay deployed.")


def test_a_deployment_whose_rollback_fails_too_says_both(shop: Scene, fleet: Fleet) -> None:
    good = shop.deploy("1.4.1")
    fleet.broken["web-3"] = "apply undo"
    failed = shop.deploy("1.4.2")
    assert (failed.status, failed.code) == (Status.FAILED, "ROLLBACK_FAILED")
    assert "Install: web-3" in failed.message
    assert "Undo Install: web-3" in failed.message
    assert shop.target.current_deployment == good


def test_a_look_that_is_older_than_the_last_one_changes_nothing(shop: Scene, fleet: Fleet) -> None:
    """A sync that began before a rollback ended must not put the old version back."""
    shop.deploy("1.4.1")
    before = timezone.now() - timedelta(seconds=30)
    old = Observation((ObservedInstance("web-1", "0-0.9", "0.9"),))
    observation.record(shop.target, old, before)
    assert {each.version for each in Instance.objects.all()} == {"1.4.1"}
    assert Instance.objects.count() == 3


def test_instances_belong_to_the_deployment_that_is_current_when_they_are_recorded(
    shop: Scene, fleet: Fleet
) -> None:
    shop.deploy("1.4.1")
    stale = shop.target
    second = shop.deploy("1.4.2")
    observation.sync(stale, timezone.now())
    assert {each.deployment for each in Instance.objects.all()} == {second}


@pytest.mark.parametrize("gone", [{"web-3"}, {"web-1", "web-2", "web-3"}])
def test_hosts_that_left_the_infrastructure_are_named_and_left_alone(
    shop: Scene, fleet: Fleet, gone: set[str]
) -> None:
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")
    left = dict(fleet.runs)
    shop.infrastructure.settings = {"hosts": sorted({*left, "web-4"} - gone)}
    shop.infrastructure.save()
    fleet.runs["web-4"] = ""
    done = shop.roll_back(bad)
    assert done.status == Status.SUCCEEDED, done.message
    assert {host for host in fleet.runs if fleet.runs[host] == left.get(host)} == gone
    assert fleet.runs["web-4"] == ""
    count = 3 - len(gone)
    assert done.message == (
        f"Seen on all {count} instances: as before deployment {bad.pk}."
        if count
        else f"No instance of deployment {bad.pk} was left to roll back."
    )
