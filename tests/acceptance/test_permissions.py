"""Acceptance A20-A26, A29 at the pages: who is offered a rollback, and whom we refuse."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import administration
from accounts.models import ApiKey, User, UserGroup
from accounts.vocabulary import AccountPermission, Action
from dashboard.models import (
    Application,
    Deployment,
    Environment,
    EnvironmentType,
    Infrastructure,
    Status,
)
from rollbacks import lifecycle
from tests.acceptance.browser import ROLLBACK, Browser, led_to
from tests.scene import Scene, group, person

MANAGE = AccountPermission.MANAGE_APPLICATIONS
BACK = Action.ROLLBACK_WORKFLOW


def member(*groups: UserGroup) -> Browser:
    made = person(f"member of {', '.join(group.name for group in groups)}", *groups)
    return Browser(User.objects.get(pk=made.pk))


def current(shop: Scene, infrastructure: Infrastructure | None = None) -> Deployment:
    where = {"infrastructure": infrastructure} if infrastructure else {}
    shop.deploy("1.4.1", **where)
    return shop.deploy("1.4.2", **where)


def require_refused(browser: Browser, deployment: Deployment) -> None:
    """No option, no dialog, and a forged request is refused and starts nothing."""
    answer = browser.get("deployment_menu", deployment.pk)
    if answer.status_code == 200:
        assert ROLLBACK not in browser.menu(deployment)
    else:
        assert answer.status_code == 404
    for answer in (browser.dialog(deployment), browser.post("rollback", deployment.pk)):
        assert answer.status_code in {403, 404}
    forged = browser.post("rollback", deployment.pk, fingerprint="0" * 32)
    assert forged.status_code in {403, 404}
    assert not deployment.rollbacks.exists()


def require_allowed(browser: Browser, deployment: Deployment) -> None:
    assert browser.is_offered(deployment)
    assert led_to(browser.press_rollback(browser.dialog(deployment))).rolls_back == deployment


def test_A20_manage_applications_alone_is_not_enough(shop: Scene) -> None:
    managers = group("Managers", Action.READ, account=[MANAGE])
    require_refused(member(managers), current(shop))


def test_A21_rollback_workflow_alone_is_not_enough(shop: Scene) -> None:
    require_refused(member(group("On call", BACK)), current(shop))


def test_A22_one_permission_from_each_of_two_groups_is_enough(shop: Scene) -> None:
    a, b = group("A", account=[MANAGE]), group("B", BACK)
    require_allowed(member(a, b), current(shop))


def test_A23_execute_workflow_does_not_include_rolling_back(shop: Scene) -> None:
    deployers = group("Deployers", Action.EXECUTE_WORKFLOW, account=[MANAGE])
    require_refused(member(deployers), current(shop))


def test_A24_rollback_workflow_alone_may_look_and_nothing_else(shop: Scene) -> None:
    deployment = current(shop)
    queued = shop.start("1.4.3")
    browser = member(group("On call", BACK))
    page = browser.client.get(reverse("deployment", args=[deployment.pk]))
    assert page.status_code == 200
    assert set(browser.menu(deployment)) == {"View deployment"}
    for answer in (
        browser.post("rerun", deployment.pk),
        browser.post("abort", queued.pk),
        browser.post("resume", queued.pk),
    ):
        assert answer.status_code == 403
    browser.post(
        "execute", shop.service.pk, workflow=shop.workflow.pk, artifact=shop.artifact("1.4.1").pk
    )
    assert Deployment.objects.count() == 3
    lifecycle.claim(queued.pk, "worker", timezone.now())
    lifecycle.advance(queued.pk, Status.PAUSED, now=timezone.now(), code="X", message="Why.")
    assert browser.post("resume", queued.pk).status_code == 403
    assert Deployment.objects.get(pk=queued.pk).status == Status.PAUSED


def test_A25_a_row_for_non_production_does_not_reach_production(shop: Scene) -> None:
    testers = group("Testers", BACK, account=[MANAGE], production=False)
    browser, deployment = member(testers), current(shop)
    require_refused(browser, deployment)
    shop.environment.environment_type = EnvironmentType.NON_PRODUCTION
    shop.environment.save()
    require_allowed(browser, deployment)


def test_A26_a_row_for_one_environment_reaches_that_one_only(shop: Scene) -> None:
    other = Environment.objects.create(
        application=shop.service.application, name="west", environment_type="PRODUCTION"
    )
    there = shop.another_infrastructure("other hosts", ["db-1"])
    there.environment = other
    there.save()
    here, elsewhere = current(shop), current(shop, there)
    westerners = group("West", BACK, account=[MANAGE], environments=[other])
    browser = member(westerners)
    require_refused(browser, here)
    require_allowed(browser, elsewhere)


@pytest.mark.parametrize("is_theirs", [True, False])
def test_A26_a_row_for_one_application_reaches_that_one_only(shop: Scene, is_theirs: bool) -> None:
    other = Application.objects.create(name="Bank")
    theirs = shop.service.application if is_theirs else other
    browser = member(group("Theirs", BACK, account=[MANAGE], applications=[theirs]))
    deployment = current(shop)
    if is_theirs:
        require_allowed(browser, deployment)
    else:
        assert browser.get("deployment_menu", deployment.pk).status_code == 404
        require_refused(browser, deployment)


def test_A26_rows_are_not_combined_across_their_dimensions(shop: Scene) -> None:
    """One row has the application, the other the environment type: neither covers it."""
    other = Application.objects.create(name="Bank")
    a = group("A", BACK, account=[MANAGE], applications=[other])
    b = group("B", BACK, applications=[shop.service.application], production=False)
    require_refused(member(a, b), current(shop))


def program(*groups: UserGroup) -> tuple[Browser, ApiKey]:
    """It asks with an API key of these groups, and has no session."""
    key, text = administration.create_key("Robot", groups, by=None, now=timezone.now())
    browser = Browser(key.user)
    browser.client = Client(headers={"x-api-key": text}, enforce_csrf_checks=True)
    return browser, key


def test_A29_a_key_has_its_groups_rights_and_no_others(shop: Scene) -> None:
    deployment = current(shop)
    looks, _ = program(group("On call", BACK))
    require_refused(looks, deployment)
    key = ApiKey.objects.get()
    both = [*UserGroup.objects.filter(name="On call"), group("Managers", account=[MANAGE])]
    administration.update_key(key, both, expires_at=None, by=None, now=timezone.now())
    require_allowed(looks, deployment)


def test_A29_deleting_the_key_stops_its_access_at_once(shop: Scene) -> None:
    deployment = current(shop)
    browser, key = program(group("Engineers too", BACK, account=[MANAGE]))
    shown = browser.dialog(deployment)
    administration.revoke_key(key, by=None, now=timezone.now())
    assert browser.press_rollback(shown).status_code == 401
    assert browser.get("service", shop.service.pk).status_code == 401
    assert not deployment.rollbacks.exists()


def test_who_left_or_may_not_look_finds_nothing(shop: Scene) -> None:
    deployment = current(shop)
    require_refused(Browser(shop.viewer), deployment)
    stranger = Browser(shop.stranger)
    require_refused(stranger, deployment)
    assert stranger.dialog(deployment).status_code == 404
    engineer = Browser(shop.engineer)
    shown = engineer.dialog(deployment)
    User.objects.filter(pk=shop.engineer.pk).update(is_active=False)
    assert engineer.press_rollback(shown).status_code in {302, 404}
    assert not deployment.rollbacks.exists()
