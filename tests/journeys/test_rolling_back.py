"""The click path of an engineer in the worst ten minutes of the week."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from dashboard.models import Deployment
from tests.scene import Scene
from tests.sshd import Fleet

Visit = Callable[..., Page]


def service_page(shop: Scene) -> str:
    return f"/services/{shop.service.pk}/"


def open_dialog(page: Page) -> None:
    page.get_by_role("button", name="More options").first.click()
    page.get_by_role("menuitem", name="Rollback Deployment").click()


def test_an_engineer_rolls_back_and_the_hosts_agree(
    shop: Scene, fleet: Fleet, visit: Visit
) -> None:
    page = visit("engineer", service_page(shop))
    panel = page.get_by_role("region", name="Current Deployment Status")
    expect(panel).to_contain_text("1.4.2")
    open_dialog(page)
    dialog = page.get_by_role("dialog", name="Rollback Deployment")
    expect(dialog).to_contain_text("1.4.2")
    expect(dialog).to_contain_text("1.4.1")
    dialog.get_by_label("Reason").fill("Prices are zero")
    dialog.get_by_role("button", name="Rollback", exact=True).click()
    page.wait_for_url(re.compile(r"/deployments/\d+/"))
    expect(page.get_by_role("main")).to_contain_text("Succeeded", timeout=20_000)
    assert {fleet.read(host, "current/index.html") for host in fleet.hosts} == {
        "<p>1.4.1: 19.90</p>"
    }
    page.goto(service_page(shop))
    expect(panel).to_contain_text("1.4.1")
    expect(panel).to_contain_text("Prices are zero")


def test_cancel_starts_nothing_and_gives_the_focus_back(shop: Scene, visit: Visit) -> None:
    page = visit("engineer", service_page(shop))
    open_dialog(page)
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name="More options").first).to_be_focused()
    assert Deployment.objects.count() == 2


def test_the_keyboard_is_enough(shop: Scene, visit: Visit) -> None:
    page = visit("engineer", service_page(shop))
    page.get_by_role("button", name="More options").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem", name="Rollback Deployment")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="More options").first).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("menuitem", name="Rollback Deployment")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Rollback Deployment")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_it_works_without_javascript(shop: Scene, fleet: Fleet, visit: Visit) -> None:
    page = visit("engineer", service_page(shop), java_script_enabled=False)
    page.get_by_label("More options").first.click()
    page.get_by_text("Rollback Deployment").click()
    page.get_by_label("Reason").fill("Prices are zero")
    page.get_by_role("button", name="Rollback", exact=True).click()
    page.wait_for_url(re.compile(r"/deployments/\d+/$"))
    rollback = Deployment.objects.get(rolls_back__isnull=False)
    for _ in range(40):
        page.reload()
        if "Succeeded" in page.get_by_role("main").inner_text():
            break
        page.wait_for_timeout(250)
    expect(page.get_by_role("main")).to_contain_text("Succeeded")
    rollback.refresh_from_db()
    assert rollback.note == "Prices are zero"
    assert fleet.read(fleet.hosts[0], "current/index.html") == "<p>1.4.1: 19.90</p>"


def test_a_viewer_sees_the_panel_and_no_rollback(shop: Scene, visit: Visit) -> None:
    page = visit("viewer", service_page(shop))
    expect(page.get_by_role("region", name="Current Deployment Status")).to_contain_text("1.4.2")
    page.get_by_role("button", name="More options").first.click()
    expect(page.get_by_role("menuitem", name="View deployment")).to_be_visible()
    expect(page.get_by_role("menuitem", name="Rollback Deployment")).to_have_count(0)
    expect(page.get_by_role("menuitem", name="Rerun")).to_have_count(0)


def test_a_stranger_finds_nothing(shop: Scene, visit: Visit) -> None:
    page = visit("stranger", "/")
    expect(page.get_by_role("main")).not_to_contain_text("storefront")
    answer = page.goto(service_page(shop))
    assert answer is not None
    assert answer.status == 404


def test_a_newer_deployment_makes_the_open_dialog_stale(shop: Scene, visit: Visit) -> None:
    page = visit("engineer", service_page(shop))
    open_dialog(page)
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Rollback", exact=True)).to_be_visible()
    newer = shop.artifact("1.4.3")
    newer.location = shop.artifact("1.4.1").location
    newer.save()
    assert shop.deploy("1.4.3").status == "SUCCEEDED"
    dialog.get_by_role("button", name="Rollback", exact=True).click()
    expect(dialog).to_contain_text("not the current deployment")
    assert not Deployment.objects.filter(rolls_back__isnull=False).exists()


def test_two_people_confirm_and_one_rollback_runs(shop: Scene, visit: Visit) -> None:
    pages = [visit("engineer", service_page(shop)) for _ in range(2)]
    for page in pages:
        open_dialog(page)
        expect(
            page.get_by_role("dialog").get_by_role("button", name="Rollback", exact=True)
        ).to_be_visible()
    for page in pages:
        page.get_by_role("dialog").get_by_role("button", name="Rollback", exact=True).click(
            no_wait_after=True
        )
    for page in pages:
        page.wait_for_url(re.compile(r"/deployments/\d+/"))
        expect(page.get_by_role("main")).to_contain_text("Succeeded", timeout=20_000)
    assert Deployment.objects.filter(rolls_back__isnull=False).count() == 1


def test_rerun_of_what_was_rolled_back_is_disabled_and_says_why(shop: Scene, visit: Visit) -> None:
    bad = Deployment.objects.latest("pk")
    shop.roll_back(bad)
    page = visit("engineer", f"/deployments/{bad.pk}/")
    rerun = page.get_by_role("button", name="Rerun")
    expect(rerun).to_be_disabled()
    expect(page.get_by_role("main")).to_contain_text("was rolled back")


def test_an_engineer_executes_a_workflow_with_a_chosen_artifact(shop: Scene, visit: Visit) -> None:
    page = visit("engineer", service_page(shop))
    page.get_by_role("link", name="Execute a workflow").click()
    page.get_by_label("Workflow").select_option(label="Shop / Deploy storefront")
    page.get_by_label("Artifact").select_option(label="1.4.1")
    page.get_by_role("button", name="Execute").click()
    page.wait_for_url(re.compile(r"/deployments/\d+/"))
    expect(page.get_by_role("main")).to_contain_text("Succeeded", timeout=20_000)
