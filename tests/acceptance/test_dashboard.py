"""Acceptance A70, A72, A73: what the panel knows, and what a freeze leaves possible."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from accounts.policy import Denied
from accounts.vocabulary import AccountPermission
from dashboard.models import Deployment, DeploymentFreeze, Instance, Status, Workflow
from rollbacks import observation
from rollbacks.eligibility import Code
from tests.acceptance.browser import Browser, led_to
from tests.lab import Fleet
from tests.scene import Scene, group, revise, run


def panel(shop: Scene) -> str:
    return str(Browser(shop.engineer).get("service", shop.service.pk).content.decode())


def test_A70_an_instance_that_ended_elsewhere_is_gone_after_the_next_look(
    shop: Scene, fleet: Fleet
) -> None:
    shop.deploy("1.4.1")
    assert "web-3" in {each.key for each in Instance.objects.all()}
    shop.infrastructure.settings = {"hosts": ["web-1", "web-2"]}
    shop.infrastructure.save()
    observation.sync(shop.target, timezone.now())
    assert {each.key for each in Instance.objects.all()} == {"web-1", "web-2"}
    assert "web-3" not in panel(shop)


def test_A70_when_the_platform_cannot_be_reached_instances_stay_and_the_look_has_failed(
    shop: Scene, fleet: Fleet
) -> None:
    shop.deploy("1.4.1")
    seen = shop.target.synced_at
    fleet.is_unreachable = True
    observation.sync(shop.target, timezone.now())
    assert Instance.objects.count() == 3
    assert shop.target.sync_error == "The network is down"
    assert shop.target.synced_at == seen
    assert "The network is down" in panel(shop)
    fleet.is_unreachable = False
    observation.sync(shop.target, timezone.now())
    assert shop.target.sync_error == ""


def test_A70_an_instance_that_does_not_answer_stays_as_it_was_known(
    shop: Scene, fleet: Fleet
) -> None:
    shop.deploy("1.4.1")
    fleet.silent.add("web-2")
    observation.sync(shop.target, timezone.now())
    silent = Instance.objects.get(key="web-2")
    assert (silent.version, silent.is_healthy) == ("1.4.1", None)
    assert shop.target.sync_error == "1 of 3 instances gave no answer"


def freeze() -> None:
    DeploymentFreeze.objects.create(
        name="Black Friday", starts_at=timezone.now() - timedelta(hours=1)
    )


def test_A72_a_freeze_stops_rerun_and_deploy_and_leaves_abort_and_what_runs(
    shop: Scene, fleet: Fleet
) -> None:
    shop.deploy("1.4.1")
    first = dict(fleet.runs)
    bad = shop.deploy("1.4.2")
    fleet.broken["web-3"] = "apply"
    failing, waiting = shop.start("1.4.3"), shop.start("1.4.4")
    fleet.before_change = lambda host: None if DeploymentFreeze.objects.exists() else freeze()
    left = dict(fleet.runs)
    done = run(failing)
    assert (done.status, done.code) == (Status.FAILED, "ROLLED_BACK")
    assert fleet.runs == left
    engineer = Browser(shop.engineer)
    led_to(engineer.post("abort", waiting.pk))
    assert Deployment.objects.get(pk=waiting.pk).status == Status.ABORTED
    menu = engineer.menu(bad)
    assert menu["Rollback Deployment"].is_enabled
    assert "Black Friday" in menu["Rerun"].reason
    assert engineer.post("rerun", bad.pk).status_code == 409
    count = Deployment.objects.count()
    answer = engineer.post(
        "execute", shop.service.pk, workflow=shop.workflow.pk, artifact=shop.artifact("1.4.5").pk
    )
    assert answer.status_code == 409
    assert Deployment.objects.count() == count
    assert first != left


def test_A72_a_rollback_during_a_freeze_needs_who_may_and_a_reason(
    shop: Scene, fleet: Fleet
) -> None:
    shop.deploy("1.4.1")
    first = dict(fleet.runs)
    bad = shop.deploy("1.4.2")
    freeze()
    engineer = Browser(shop.engineer)
    shown = engineer.dialog(bad)
    assert [each.code for each in shown.context["refusals"]] == [Code.FROZEN]
    assert engineer.press_rollback(shown).status_code == 409
    forced = engineer.press_rollback(shown, freeze_override="on", note="prices are zero")
    assert forced.status_code == 403
    assert not bad.rollbacks.exists()
    shop.engineer.groups.add(
        group("Leads", account=[AccountPermission.ALLOW_DEPLOYMENTS_DURING_FREEZE])
    )
    unreasoned = engineer.press_rollback(shown, freeze_override="on")
    assert unreasoned.status_code == 422
    assert "needs a reason" in unreasoned.content.decode()
    assert not bad.rollbacks.exists()
    started = led_to(engineer.press_rollback(shown, freeze_override="on", note="prices are zero"))
    assert started.freeze_override
    assert run(started).status == Status.SUCCEEDED
    assert fleet.runs == first


def test_A73_a_second_workflow_on_the_same_target_waits_for_the_first(
    shop: Scene, fleet: Fleet
) -> None:
    shop.deploy("1.4.1")
    other = Workflow.objects.create(
        application=shop.service.application, name="Other way", workflow_type="BASIC",
        service=shop.service, infrastructure=shop.infrastructure,
    )  # fmt: skip
    revise(other, {})
    first, second = shop.start("1.4.2"), shop.start("1.4.3", workflow=other)
    assert run(second).status == Status.QUEUED
    assert run(first).status == Status.SUCCEEDED
    assert run(second).status == Status.SUCCEEDED


def test_a_person_whose_account_was_closed_starts_nothing(shop: Scene) -> None:
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")
    User.objects.filter(pk=shop.engineer.pk).update(is_active=False)
    with pytest.raises(Denied, match="Manage Applications and Rollback Workflow"):
        shop.confirm(bad, actor=User.objects.get(pk=shop.engineer.pk))
    assert not bad.rollbacks.exists()
