"""Acceptance A01-A18: what is offered, what is refused, and what pressing Rollback does."""

import pytest
from django.utils import timezone

from accounts.models import User, UserGroup
from dashboard.models import (
    ArtifactType,
    Deployment,
    Environment,
    EnvironmentType,
    Service,
    Status,
    Workflow,
    WorkflowType,
)
from rollbacks import actions
from rollbacks.eligibility import Code
from tests.acceptance.browser import Browser, led_to
from tests.engine.conftest import three_phases
from tests.lab import Fleet
from tests.scene import Scene, person, revise, run, verdicts


def codes(answer: object) -> set[Code]:
    """What the dialog says against it."""
    return {refusal.code for refusal in answer.context["refusals"]}  # type: ignore[attr-defined]


def test_A01_after_one_success_it_is_not_available(shop: Scene) -> None:
    only, engineer = shop.deploy("1.4.1"), Browser(shop.engineer)
    page = engineer.get("service", shop.service.pk)
    assert page.status_code == 200
    assert "Current Deployment Status" in page.content.decode()
    assert not engineer.is_offered(only)
    assert "only successful deployment" in engineer.menu(only)["Rollback Deployment"].reason
    assert codes(engineer.dialog(only)) == {Code.NO_PREVIOUS}


def test_A02_after_two_successes_it_is_there_for_the_latest(shop: Scene) -> None:
    shop.deploy("1.4.1")
    assert Browser(shop.engineer).is_offered(shop.deploy("1.4.2"))


def test_A03_it_is_not_there_for_the_older_one(shop: Scene) -> None:
    older = shop.deploy("1.4.1")
    shop.deploy("1.4.2")
    engineer = Browser(shop.engineer)
    assert "Rollback Deployment" not in engineer.menu(older)
    assert Code.NOT_CURRENT in codes(engineer.dialog(older))


def test_A04_a_failed_deployment_does_not_count(shop: Scene, fleet: Fleet) -> None:
    fleet.broken["web-1"] = "apply"
    assert shop.deploy("1.4.1").status == Status.FAILED
    fleet.broken.clear()
    good = shop.deploy("1.4.2")
    engineer = Browser(shop.engineer)
    assert not engineer.is_offered(good)
    fleet.broken["web-1"] = "apply"
    bad = shop.deploy("1.4.3")
    assert not engineer.is_offered(good)
    assert not engineer.is_offered(bad)


@pytest.mark.parametrize(
    ("workflow_type", "code"),
    [(WorkflowType.MULTI_SERVICE, Code.MULTI_SERVICE), (WorkflowType.BUILD, Code.UNSUPPORTED)],
    ids=["A05 Multi-Service", "A06 Build"],
)
def test_A05_A06_some_workflows_never_are_and_the_server_refuses_a_forged_request(
    shop: Scene, fleet: Fleet, workflow_type: WorkflowType, code: Code
) -> None:
    for number in range(5):
        last = shop.deploy(f"1.{number}")
    shown = Browser(shop.engineer).dialog(last)
    Workflow.objects.update(workflow_type=workflow_type)
    engineer, left = Browser(shop.engineer), dict(fleet.runs)
    assert not engineer.is_offered(last)
    forged = engineer.press_rollback(shown)
    assert forged.status_code == 409
    assert codes(forged) == {code}
    assert not last.rollbacks.exists()
    assert fleet.runs == left


@pytest.mark.parametrize(
    ("workflow_type", "is_available"), [("ROLLING", False), ("BASIC", True), ("CANARY", True)]
)
def test_A07_rolling_over_ssh_is_not_available_basic_and_canary_are(
    shop: Scene, workflow_type: str, is_available: bool
) -> None:
    shop.workflow.workflow_type = workflow_type
    shop.workflow.save()
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")
    engineer = Browser(shop.engineer)
    assert engineer.is_offered(bad) == is_available
    assert (codes(engineer.dialog(bad)) == {Code.UNSUPPORTED}) != is_available


def test_A08_without_an_artifact_it_is_not_available(shop: Scene) -> None:
    Service.objects.update(artifact_type=ArtifactType.NONE)
    for _ in range(2):
        last = run(
            actions.execute(
                shop.workflow, shop.infrastructure, None, {}, shop.engineer, timezone.now()
            )
        )
        assert last.status == Status.SUCCEEDED, last.message
    engineer = Browser(shop.engineer)
    assert not engineer.is_offered(last)
    assert Code.ARTIFACT_HARD_CODED in codes(engineer.dialog(last))


def test_A09_one_success_in_each_of_two_places_leaves_nothing_to_go_back_to(
    shop: Scene, fleet: Fleet
) -> None:
    other = shop.another_infrastructure("other hosts", ["db-1"])
    engineer = Browser(shop.engineer)
    both = shop.deploy("1.4.1"), shop.deploy("1.4.2", infrastructure=other)
    assert [engineer.is_offered(each) for each in both] == [False, False]


def test_A10_outside_of_production_it_is_available(shop: Scene) -> None:
    shop.environment.environment_type = EnvironmentType.NON_PRODUCTION
    shop.environment.save()
    shop.deploy("1.4.1")
    assert Browser(shop.engineer).is_offered(shop.deploy("1.4.2"))


def test_A11_confirming_starts_one_rollback_and_looking_starts_none(
    shop: Scene, fleet: Fleet, hints: list[int]
) -> None:
    shop.deploy("1.4.1")
    first = dict(fleet.runs)
    bad = shop.deploy("1.4.2")
    engineer = Browser(shop.engineer)
    shown = engineer.dialog(bad)
    page = shown.content.decode()
    for text in ("storefront", "production", "web hosts", "1.4.1", "1.4.2", "web-1", "Cancel"):
        assert text in page
    assert 'aria-label="Rollback"' in page
    assert not bad.rollbacks.exists()
    rollback = led_to(engineer.press_rollback(shown, note="prices are zero"))
    assert bad.rollbacks.get() == rollback
    assert (rollback.status, rollback.note) == (Status.QUEUED, "prices are zero")
    assert run(rollback).status == Status.SUCCEEDED
    assert fleet.runs == first


def test_A12_a_deployment_that_lands_in_between_makes_the_dialog_stale(
    shop: Scene, fleet: Fleet
) -> None:
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")
    engineer = Browser(shop.engineer)
    shown = engineer.dialog(bad)
    newer = shop.deploy("1.4.3")
    left = dict(fleet.runs)
    answer = engineer.press_rollback(shown)
    assert answer.status_code == 409
    assert codes(answer) == {Code.NOT_CURRENT}
    assert "Nothing was started." in answer.content.decode()
    assert f"/deployments/{newer.pk}/" in answer.content.decode()
    assert not Deployment.objects.filter(rolls_back__isnull=False).exists()
    assert fleet.runs == left


def test_A12_a_workflow_edited_in_between_shows_what_would_happen_now(shop: Scene) -> None:
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")
    engineer = Browser(shop.engineer)
    shown = engineer.dialog(bad)
    tell = {"name": "Tell", "kind": "lab.note"}
    hosts = {"name": "Hosts", "steps": [{"name": "Install", "kind": "lab.install"}]}
    revise(shop.workflow, {"phases": [{**hosts, "rollback_steps": [{"undo": "Install"}, tell]}]})
    answer = engineer.press_rollback(shown)
    assert answer.status_code == 409
    assert "has changed since you opened this" in answer.content.decode()
    assert not bad.rollbacks.exists()
    assert led_to(engineer.press_rollback(answer)).rolls_back == bad


def test_A13_two_people_who_confirm_are_led_to_one_rollback(shop: Scene) -> None:
    """The threads are in tests/engine/test_workers.py; here, what the second one sees."""
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")
    colleague = person("colleague", *UserGroup.objects.filter(user=shop.engineer))
    two = Browser(shop.engineer), Browser(User.objects.get(pk=colleague.pk))
    shown = [each.dialog(bad) for each in two]
    started = [led_to(each.press_rollback(page)) for each, page in zip(two, shown, strict=True)]
    assert started[0] == started[1] == bad.rollbacks.get()
    assert started[0].started_by == shop.engineer
    assert codes(two[1].dialog(bad)) == {Code.TARGET_BUSY}


@pytest.mark.parametrize("ends", [Status.SUCCEEDED, Status.FAILED, Status.ABORTED])
def test_A14_rerun_is_disabled_during_and_after_a_rollback(
    shop: Scene, fleet: Fleet, ends: Status
) -> None:
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")
    engineer = Browser(shop.engineer)
    assert engineer.menu(bad)["Rerun"].is_enabled
    rollback = shop.confirm(bad)
    assert "is being rolled back" in engineer.menu(bad)["Rerun"].reason
    if ends == Status.FAILED:
        fleet.broken["web-1"] = "undo"
    if ends == Status.ABORTED:
        actions.abort(rollback, shop.engineer, timezone.now())
    assert run(rollback).status == ends
    assert "was rolled back" in engineer.menu(bad)["Rerun"].reason
    assert engineer.post("rerun", bad.pk).status_code == 409


def test_A15_afterwards_the_panel_shows_the_previous_artifact_and_offers_nothing(
    shop: Scene,
) -> None:
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")
    rollback = shop.roll_back(bad, note="prices are zero")
    engineer = Browser(shop.engineer)
    page = engineer.get("service", shop.service.pk).content.decode()
    assert "1.4.1" in page
    assert "rolled back" in page.lower()
    assert "prices are zero" in page
    assert [engineer.is_offered(each) for each in (rollback, bad)] == [False, False]
    assert engineer.is_offered(shop.deploy("1.4.3"))


def test_A16_a_rollback_that_fails_leaves_earlier_phases_alone_and_can_be_started_again(
    canary: Scene, fleet: Fleet
) -> None:
    canary.deploy("1.4.1")
    first = dict(fleet.runs)
    bad = canary.deploy("1.4.2")
    left = dict(fleet.runs)
    fleet.broken["web-2"] = "undo"
    failed = canary.roll_back(bad)
    assert failed.status == Status.FAILED
    assert fleet.runs == {**left, "web-3": first["web-3"]}
    assert verdicts(failed) == {
        "web-1": "UNTOUCHED",
        "web-2": "DIFFERENT",
        "web-3": "ROLLED_BACK",
    }
    fleet.broken.clear()
    engineer = Browser(canary.engineer)
    assert engineer.is_offered(bad)
    again = run(led_to(engineer.press_rollback(engineer.dialog(bad))))
    assert again.status == Status.SUCCEEDED
    assert fleet.runs == first


def test_A17_edited_rollback_steps_run_and_the_dialog_warned(shop: Scene, fleet: Fleet) -> None:
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")
    tell = {"name": "Tell the others", "kind": "lab.note"}
    hosts = {"name": "Hosts", "steps": [{"name": "Install", "kind": "lab.install"}]}
    revise(shop.workflow, {"phases": [{**hosts, "rollback_steps": [tell, {"undo": "Install"}]}]})
    engineer = Browser(shop.engineer)
    shown = engineer.dialog(bad)
    page = shown.content.decode()
    assert "The workflow was edited since this deployment" in page
    assert "Tell the others" in page
    fleet.calls.clear()
    rollback = run(led_to(engineer.press_rollback(shown)))
    assert rollback.status == Status.SUCCEEDED
    assert [name for _, name, host in fleet.calls if host == "web-1"] == [
        "Tell the others",
        "Undo Install",
    ]


def test_A17_the_steps_as_deployed_can_be_chosen(shop: Scene, fleet: Fleet) -> None:
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")
    revise(
        shop.workflow,
        {"phases": [{"name": "Hosts", "steps": [{"name": "Put", "kind": "lab.install"}]}]},
    )
    engineer = Browser(shop.engineer)
    assert codes(engineer.dialog(bad)) == {Code.STEP_NOT_CAPTURED}
    shown = engineer.dialog(bad, configuration="deployed")
    assert codes(shown) == set()
    assert run(led_to(engineer.press_rollback(shown))).status == Status.SUCCEEDED


def test_A18_a_template_is_rolled_back_where_it_was_executed(shop: Scene, fleet: Fleet) -> None:
    staging = Environment.objects.create(
        application=shop.service.application, name="staging", environment_type="NON_PRODUCTION"
    )
    there = shop.another_infrastructure("other hosts", ["db-1"])
    there.environment = staging
    there.save()
    shop.deploy("1.4.1")
    shop.deploy("1.4.1", infrastructure=there)
    before = dict(fleet.runs)
    bad = shop.deploy("1.4.2", infrastructure=there)
    rollback = shop.roll_back(bad)
    assert rollback.status == Status.SUCCEEDED
    assert rollback.target == bad.target
    assert rollback.target.infrastructure.environment == staging
    assert rollback.workflow.infrastructure is None
    assert fleet.runs == before


def test_A40_the_phases_of_a_canary_are_undone_last_first(canary: Scene, fleet: Fleet) -> None:
    revise(canary.workflow, {"phases": three_phases()[:2]})
    canary.deploy("1.4.1")
    fleet.calls.clear()
    bad = canary.deploy("1.4.2")
    rollback = canary.roll_back(bad)
    assert rollback.status == Status.SUCCEEDED
    assert [(verb, host) for verb, _, host in fleet.calls] == [
        ("apply", "web-1"), ("apply", "web-2"), ("undo", "web-2"), ("undo", "web-1"),
    ]  # fmt: skip


def test_A40_three_phases_go_forwards_and_back(canary: Scene, fleet: Fleet) -> None:
    canary.deploy("1.4.1")
    bad = canary.deploy("1.4.2")
    rollback = canary.roll_back(bad)
    names = [phase.name for each in (bad, rollback) for phase in each.phases.all()]
    assert names == [
        "Canary 1", "Canary 2", "Canary 3",
        "Rollback Canary 3", "Rollback Canary 2", "Rollback Canary 1",
    ]  # fmt: skip


def test_A42_aborting_runs_no_rollback_step(canary: Scene, fleet: Fleet) -> None:
    canary.deploy("1.4.1")
    first = dict(fleet.runs)
    deployment = canary.start("1.4.2")
    engineer = Browser(canary.engineer)

    def abort(host: str) -> None:
        fleet.after_change = lambda host: None
        led_to(engineer.post("abort", deployment.pk))

    fleet.after_change = abort
    fleet.calls.clear()
    done = run(deployment)
    assert done.status == Status.ABORTED
    assert fleet.calls == [("apply", "Install", "web-1")]
    assert fleet.runs == {**first, "web-1": f"{deployment.pk}-1.4.2"}
    assert not done.phases.filter(direction="BACK").exists()
    assert "web-1 at 1.4.2" in done.message


def test_A68_a_rollback_acts_on_the_hosts_that_were_deployed_to(shop: Scene, fleet: Fleet) -> None:
    shop.deploy("1.4.1")
    first = dict(fleet.runs)
    bad = shop.deploy("1.4.2")
    fleet.runs["web-4"] = "7-9.9"
    shop.infrastructure.settings = {"hosts": ["web-1", "web-2", "web-3", "web-4"]}
    shop.infrastructure.save()
    engineer = Browser(shop.engineer)
    shown = engineer.dialog(bad)
    assert "web-4: not deployed by it, so not rolled back." in shown.content.decode()
    rollback = run(led_to(engineer.press_rollback(shown)))
    assert rollback.status == Status.SUCCEEDED
    assert fleet.runs == {**first, "web-4": "7-9.9"}
    assert verdicts(rollback)["web-4"] == "UNTOUCHED"
