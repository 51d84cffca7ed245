"""An administrator gives, in the browser; what was given can be used at once, and only there."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from accounts.models import UserGroup
from accounts.vocabulary import AccountPermission, Action
from dashboard.models import Deployment, Environment, Infrastructure, Target
from tests.scene import Scene, group, person

Visit = Callable[..., Page]
GIVES = (
    AccountPermission.READ_USERS_AND_GROUPS,
    AccountPermission.MANAGE_USERS_AND_GROUPS,
    AccountPermission.MANAGE_APPLICATIONS,
)


@pytest.fixture
def staging(shop: Scene) -> Environment:
    """A second environment, with 1.4.1 and then 1.4.2 on the same hosts, in another directory."""
    application = shop.service.application
    environment = Environment.objects.create(
        application=application, name="staging", environment_type="NON_PRODUCTION"
    )
    settings = dict(shop.infrastructure.settings)
    settings["directory"] = f"{settings['directory']}-staging"
    infrastructure = Infrastructure.objects.create(
        environment=environment,
        name="staging hosts",
        connector=shop.infrastructure.connector,
        settings=settings,
    )
    shop.workflow.infrastructure = None
    shop.workflow.save()
    for version in ("1.4.1", "1.4.2"):
        deployment = shop.deploy(version, infrastructure=infrastructure)
        assert deployment.status == "SUCCEEDED", deployment.message
    return environment


@pytest.fixture
def helpers(shop: Scene) -> UserGroup:
    """Whom the administrator will let roll back: nothing yet."""
    holds = (Action.READ, Action.ROLLBACK_WORKFLOW)
    person("admin", group("Administrators", *holds, account=GIVES))
    return group("Helpers")


def offers(page: Page) -> list[bool]:
    """For each panel of the service, whether its menu has Rollback Deployment."""
    buttons = page.get_by_role("button", name="More options")
    expect(buttons).to_have_count(2)
    found = []
    for number in range(2):
        buttons.nth(number).click()
        expect(page.get_by_role("menuitem", name="View deployment")).to_be_visible()
        found.append(page.get_by_role("menuitem", name="Rollback Deployment").count() == 1)
        page.keyboard.press("Escape")
    return found


def test_what_is_given_in_the_admin_works_there_and_only_there(
    shop: Scene, staging: Environment, helpers: UserGroup, visit: Visit
) -> None:
    service = f"/services/{shop.service.pk}/"
    viewer = visit("viewer", service)
    assert offers(viewer) == [False, False]

    page = visit("admin", "/admin/")
    page.get_by_role("link", name="User groups", exact=True).first.click()
    page.get_by_role("link", name="Helpers").click()
    page.get_by_label("Manage Applications").check()
    page.get_by_role("listbox", name="Available members").select_option(label="viewer")
    page.get_by_role("button", name="Choose selected members").click()
    page.get_by_role("button", name="Add another application permission").click()
    row = page.locator("#rows-0")
    row.get_by_role("combobox", name="Type").select_option(label="Deployments")
    row.get_by_label("Rollback Workflow").check()
    row.get_by_role("listbox", name="Available applications").select_option(label="Shop")
    row.get_by_role("button", name="Choose selected applications").click()
    row.get_by_label("Non-production environments").check()
    page.get_by_role("button", name="Save and continue editing").click()
    effect = page.get_by_role("region", name="In effect")
    expect(effect).to_contain_text("roll back in it")
    expect(page.get_by_role("region", name="Who is in it")).to_contain_text("viewer")

    viewer.reload()
    assert sorted(offers(viewer)) == [False, True]
    bad = Target.objects.get(infrastructure__environment=staging).current_deployment
    assert bad is not None
    viewer.goto(f"/deployments/{bad.pk}/rollback/")
    viewer.get_by_label("Reason").fill("Prices are zero")
    viewer.get_by_role("button", name="Rollback", exact=True).click()
    expect(viewer.get_by_role("main")).to_contain_text("Succeeded", timeout=20_000)
    rollback = Deployment.objects.get(rolls_back__isnull=False)
    assert rollback.target.infrastructure.environment == staging

    production = Target.objects.get(infrastructure=shop.infrastructure).current_deployment
    assert production is not None
    answer = viewer.goto(f"/deployments/{production.pk}/rollback/")
    assert answer is not None
    assert answer.status == 403
