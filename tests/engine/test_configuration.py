"""Whose rollback steps run, with what: the workflow as it is now, or as it was deployed."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dashboard.models import Deployment, Direction, Status
from rollbacks import actions
from rollbacks.actions import PlanChanged, RollbackRequest
from rollbacks.eligibility import Code, Refused
from rollbacks.plan import Configuration, Plan
from tests.lab import Fleet
from tests.scene import Scene, revise, run


def install(name: str = "Install") -> dict[str, Any]:
    return {"name": name, "kind": "lab.install"}


def note(name: str) -> dict[str, Any]:
    return {"name": name, "kind": "lab.note"}


def hosts(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"phases": [{"name": "Hosts", "steps": list(steps), **more}]}


def dialog(
    shop: Scene, deployment: Deployment, configuration: Configuration = Configuration.CURRENT
) -> Plan:
    fresh = Deployment.objects.get(pk=deployment.pk)
    planned, found = actions.confirmation(fresh, shop.engineer, configuration, timezone.now())
    assert planned is not None, found
    return planned


def steps_of(deployment: Deployment) -> list[str]:
    return [step.name for phase in deployment.phases.all() for step in phase.steps.all()]


def press(shop: Scene, deployment: Deployment, shown: Plan) -> Deployment:
    asked = RollbackRequest(shown.fingerprint, shown.configuration)
    return actions.roll_back(deployment.pk, shop.engineer, asked, timezone.now())


def test_a_renamed_step_is_refused_as_configured_now_and_works_as_deployed(
    shop: Scene, fleet: Fleet
) -> None:
    shop.deploy("1.4.1")
    first = dict(fleet.runs)
    bad = shop.deploy("1.4.2")
    revise(shop.workflow, hosts(install("Put")))
    with pytest.raises(Refused) as refused:
        press(shop, bad, dialog(shop, bad))
    (refusal,) = refused.value.refusals
    assert refusal.code == Code.STEP_NOT_CAPTURED
    assert refusal.remedy == "Choose the configuration as it was deployed."
    done = run(press(shop, bad, dialog(shop, bad, Configuration.DEPLOYED)))
    assert done.status == Status.SUCCEEDED
    assert done.revision == bad.revision
    assert fleet.runs == first


@pytest.mark.parametrize(
    "definition",
    [
        hosts({"name": "Install", "kind": "lab.note"}),
        {"phases": [{"name": "Machines", "steps": [install()]}]},
    ],
    ids=["another kind", "another phase"],
)
def test_a_step_that_became_another_is_not_undone_as_configured_now(
    shop: Scene, definition: dict[str, Any]
) -> None:
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")
    revise(shop.workflow, definition)
    planned = dialog(shop, bad)
    assert planned.problems
    with pytest.raises(Refused) as refused:
        press(shop, bad, planned)
    assert {each.code for each in refused.value.refusals} == {Code.STEP_NOT_CAPTURED}


def test_a_workflow_edited_between_dialog_and_click_shows_the_new_plan(
    shop: Scene, fleet: Fleet
) -> None:
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")
    shown = dialog(shop, bad)
    revise(shop.workflow, hosts(install(), rollback_steps=[{"undo": "Install"}, note("Tell")]))
    with pytest.raises(PlanChanged) as changed:
        press(shop, bad, shown)
    assert changed.value.current.fingerprint == dialog(shop, bad).fingerprint
    assert not bad.rollbacks.exists()
    assert run(press(shop, bad, changed.value.current)).status == Status.SUCCEEDED


@pytest.mark.parametrize("now", [["web-1", "web-2"], ["web-1", "web-2", "web-3", "web-4"]])
def test_hosts_changed_between_dialog_and_click_show_the_new_plan(
    shop: Scene, now: list[str]
) -> None:
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")
    shown = dialog(shop, bad)
    shop.infrastructure.settings = {"hosts": now}
    shop.infrastructure.save()
    with pytest.raises(PlanChanged):
        press(shop, bad, shown)
    assert not bad.rollbacks.exists()


def test_a_plan_that_stays_the_same_has_the_same_fingerprint(shop: Scene) -> None:
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")
    assert dialog(shop, bad).fingerprint == dialog(shop, bad).fingerprint


def test_steps_around_the_phases_run_forwards_and_not_in_a_rollback(
    shop: Scene, fleet: Fleet
) -> None:
    around = {
        "pre_deployment_steps": [note("Before")],
        "post_deployment_steps": [note("After")],
        **hosts(install()),
    }
    revise(shop.workflow, around)
    good = shop.deploy("1.4.1")
    assert good.status == Status.SUCCEEDED, good.message
    assert steps_of(good) == ["Before", "Install", "After"]
    bad = shop.deploy("1.4.2")
    fleet.calls.clear()
    rollback = shop.roll_back(bad)
    assert rollback.status == Status.SUCCEEDED
    assert steps_of(rollback) == ["Undo Install"]
    assert {verb for verb, _, _ in fleet.calls} == {"undo"}


def test_a_failing_step_after_the_phases_undoes_them(shop: Scene, fleet: Fleet) -> None:
    shop.deploy("1.4.1")
    first = dict(fleet.runs)
    revise(shop.workflow, {"post_deployment_steps": [install("Again")], **hosts(install())})
    bad = shop.start("1.4.2")

    def break_the_second(label: str) -> None:
        if label == "apply" and fleet.runs["web-1"].startswith(str(bad.pk)):
            fleet.broken["web-1"] = "apply"

    fleet.point = break_the_second
    done = run(bad)
    assert (done.status, done.code) == (Status.FAILED, "ROLLED_BACK"), done.message
    assert fleet.runs == first


def test_steps_that_only_the_rollback_has_run_as_part_of_a_rollback(
    shop: Scene, fleet: Fleet
) -> None:
    steps = [note("Drain"), {"undo": "Install"}, note("Refill")]
    revise(shop.workflow, hosts(install(), rollback_steps=steps))
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")
    fleet.specs.clear()
    rollback = shop.roll_back(bad)
    assert rollback.status == Status.SUCCEEDED, rollback.message
    assert steps_of(rollback) == ["Drain", "Undo Install", "Refill"]
    assert [(verb, spec.name, spec.goes_back) for verb, spec in fleet.specs] == [
        ("note", "Drain", True), ("undo", "Undo Install", True), ("note", "Refill", True),
    ]  # fmt: skip


def test_a_rollback_gets_the_variables_artifact_and_release_of_what_it_undoes(
    shop: Scene, fleet: Fleet
) -> None:
    revise(shop.workflow, {"variables": [{"name": "COLOR", "default": "red"}]})
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2", variables={"COLOR": "green"})
    revise(shop.workflow, {"variables": [{"name": "COLOR", "default": "blue"}]})
    fleet.specs.clear()
    rollback = shop.roll_back(bad)
    ((_, spec),) = fleet.specs
    assert spec.variables == {"COLOR": "green"}
    assert spec.release == f"{bad.pk}-1.4.2"
    assert spec.artifact is not None
    assert spec.artifact.version == "1.4.2"
    assert rollback.variables == bad.variables


def test_a_failed_deployment_runs_the_same_rollback_steps(shop: Scene, fleet: Fleet) -> None:
    steps = [note("Drain"), {"undo": "Install"}]
    revise(shop.workflow, hosts(install(), rollback_steps=steps))
    shop.deploy("1.4.1")
    fleet.broken["web-2"] = "apply"
    failed = shop.deploy("1.4.2")
    assert (failed.status, failed.code) == (Status.FAILED, "ROLLED_BACK")
    back = failed.phases.get(direction=Direction.BACK)
    assert [step.name for step in back.steps.all()] == ["Drain", "Undo Install"]


def test_several_steps_are_undone_last_first(shop: Scene, fleet: Fleet) -> None:
    revise(shop.workflow, hosts(note("Drain"), install(), note("Refill")))
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")
    rollback = shop.roll_back(bad)
    assert steps_of(rollback) == ["Undo Refill", "Undo Install", "Undo Drain"]
    assert rollback.status == Status.SUCCEEDED


def test_a_rollback_that_would_undo_nothing_is_not_called_one(shop: Scene, fleet: Fleet) -> None:
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")
    revise(shop.workflow, hosts(install(), rollback_steps=[note("Tell")]))
    done = shop.roll_back(bad)
    assert (done.status, done.code) == (Status.FAILED, "VERIFICATION_FAILED")
    assert shop.target.current_deployment == bad


def test_rollbacks_return_to_what_ran_whatever_happened_in_between(
    shop: Scene, fleet: Fleet
) -> None:
    """v1, v2, rollback, v3, rollback: v1; and again after v4 and a failed v5."""
    shop.deploy("1")
    first = dict(fleet.runs)
    shop.roll_back(shop.deploy("2"))
    third = shop.deploy("3")
    assert third.replaces is not None
    assert third.replaces.is_rollback
    rollback = shop.roll_back(third)
    assert (rollback.status, fleet.runs) == (Status.SUCCEEDED, first)
    assert rollback.artifact is not None
    assert rollback.artifact.version == "1"
    fourth = shop.deploy("4")
    fleet.broken["web-2"] = "apply undo"
    shop.deploy("5")
    fleet.broken.clear()
    assert dialog(shop, fourth).warnings[-1].title == "Something was tried on this target since"
    again = shop.roll_back(fourth)
    assert (again.status, fleet.runs) == (Status.SUCCEEDED, first)


def test_the_same_version_deployed_twice_is_rolled_back_to_its_first_release(
    shop: Scene, fleet: Fleet
) -> None:
    shop.deploy("1.4.1")
    first = dict(fleet.runs)
    again = shop.deploy("1.4.1")
    assert fleet.runs != first
    assert shop.roll_back(again).status == Status.SUCCEEDED
    assert fleet.runs == first


def test_a_queued_rollback_that_was_overtaken_touches_nothing(shop: Scene, fleet: Fleet) -> None:
    """Not reachable through actions, which refuse a busy target; the worker asks all the same."""
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")
    rollback = shop.confirm(bad)
    Deployment.objects.filter(pk=rollback.pk).update(status=Status.PAUSED, code="X", message="X")
    Deployment.objects.filter(pk=rollback.pk).update(status=Status.FAILED)
    newer = shop.deploy("1.4.3")
    Deployment.objects.filter(pk=rollback.pk).update(status=Status.QUEUED)
    left = dict(fleet.runs)
    done = run(rollback)
    assert (done.status, done.code) == (Status.FAILED, "NOT_CURRENT")
    assert "nothing was touched" in done.message
    assert fleet.runs == left
    assert shop.target.current_deployment == newer


@pytest.mark.parametrize(
    "definition",
    [
        hosts({"name": "Install", "kind": "lab.of-an-older-release"}),
        hosts(install(), rollback_steps=[{"name": "Tell", "kind": "lab.of-an-older-release"}]),
        {"phases": "written by an older release"},
        hosts({"name": "Install", "kind": "wait", "settings": {"seconds": "long"}}),
    ],
    ids=["kind", "kind of a rollback step", "document", "settings"],
)
def test_a_definition_that_this_release_cannot_read_is_refused_not_an_error(
    shop: Scene, definition: dict[str, Any]
) -> None:
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")
    shop.workflow.current_revision = shop.workflow.revisions.create(number=2, definition=definition)
    shop.workflow.save()
    fresh, now = Deployment.objects.get(pk=bad.pk), timezone.now()
    _, found = actions.confirmation(fresh, shop.engineer, Configuration.CURRENT, now)
    assert {each.code for each in found} <= {Code.CANNOT_PLAN, Code.STEP_NOT_CAPTURED}
    assert found
    page = Client()
    page.force_login(shop.engineer)
    assert page.get(reverse("execute", args=[shop.service.pk])).status_code == 200
    assert run(press(shop, bad, dialog(shop, bad, Configuration.DEPLOYED))).status == (
        Status.SUCCEEDED
    )


@pytest.mark.parametrize(
    "definition",
    [
        hosts({"name": "Install", "kind": "lab.of-an-older-release"}),
        {"phases": "written by an older release"},
        hosts({"name": "Install", "kind": "wait", "settings": {"seconds": "long"}}),
    ],
    ids=["kind", "document", "settings"],
)
def test_a_definition_that_this_release_cannot_read_is_not_executed(
    shop: Scene, definition: dict[str, Any]
) -> None:
    shop.workflow.current_revision = shop.workflow.revisions.create(number=2, definition=definition)
    shop.workflow.save()
    with pytest.raises(Refused) as refused:
        shop.start("1.4.3")
    assert refused.value.refusals[0].code == Code.CANNOT_PLAN
    page = Client()
    page.force_login(shop.engineer)
    answer = page.post(
        reverse("execute", args=[shop.service.pk]),
        {"workflow": shop.workflow.pk, "artifact": shop.artifact("1.4.3").pk},
    )
    assert answer.status_code in {409, 422}
    assert not Deployment.objects.exists()


def test_a_host_in_two_phases_returns_to_what_it_ran_before_the_first(
    canary: Scene, fleet: Fleet
) -> None:
    """As canaries go: one host first, then all of them."""
    one, everyone = (
        {"name": name, "select": select, "steps": [install()]}
        for name, select in (("One", {"hosts": ["web-1"]}), ("All", {}))
    )
    revise(canary.workflow, {"phases": [one, everyone]})
    canary.deploy("1.4.1")
    first = dict(fleet.runs)
    bad = canary.deploy("1.4.2")
    rollback = canary.roll_back(bad)
    assert rollback.status == Status.SUCCEEDED, rollback.message
    assert fleet.runs == first
    fleet.broken["web-3"] = "apply"
    failed = canary.deploy("1.4.3")
    assert (failed.code, fleet.runs) == ("ROLLED_BACK", first)
