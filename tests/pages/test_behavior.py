"""What the pages do in a browser: the menu, the dialog, and swaps that disturb nobody."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from dashboard.models import Deployment, Target
from rollbacks import platforms
from tests import lab, scene
from tests.chromium import Chromium, chromium_thread
from tests.pages import factories
from tests.pages.test_looks import sign_in
from tests.pages.world import HOSTS
from tests.scene import Scene

__all__ = ["chromium_thread"]

InDjango = Callable[[Callable[[], object]], object]
Script = Callable[[Page, InDjango], None]
Play = Callable[[Script], None]


@pytest.fixture
def shop(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """1.4.1, then 1.4.2, on thirty hosts; the workflow was edited since."""
    fleet = lab.Fleet(dict.fromkeys(HOSTS, ""))
    monkeypatch.setitem(platforms.PLATFORMS, "SSH", lab.Lab(fleet))
    made = scene.scene(settings={"hosts": HOSTS})
    for version in ("1.4.1", "1.4.2"):
        made.deploy(version)
    scene.revise(made.workflow, {"variables": [{"name": "color", "default": "blue"}]})
    return made


@pytest.fixture
def play(shop: Scene, live_server: LiveServer, chromium_thread: Chromium) -> Play:
    """Run a script as the engineer on the service's page.

    In the browser's own thread; what it asks of Django runs in another.
    """

    def play_it(script: Script) -> None:
        def run(page: Page) -> None:
            page.set_default_timeout(5000)
            sign_in(page, "engineer")
            page.goto(f"/services/{shop.service.pk}/")
            with ThreadPoolExecutor(1) as django:
                script(page, lambda work: django.submit(_and_close, work).result())

        chromium_thread.run(run, base_url=live_server.url)

    return play_it


def _and_close(work: Callable[[], object]) -> object:
    from django.db import connection

    try:
        return work()
    finally:
        connection.close()


def open_dialog(page: Page) -> None:
    page.get_by_role("button", name="More options").first.click()
    page.get_by_role("menuitem", name="Rollback Deployment").click()
    expect(page.get_by_role("dialog", name="Rollback Deployment")).to_be_visible()


def look_again(page: Page) -> None:
    """Poll now instead of in ten seconds."""
    with page.expect_response(lambda answer: "version=" in answer.url):
        page.evaluate("htmx.trigger(document.getElementById('live'), 'look')")
    page.wait_for_timeout(100)


def test_the_menu_by_keyboard(play: Play) -> None:
    def script(page: Page, _: InDjango) -> None:
        button = page.get_by_role("button", name="More options").first
        items = page.get_by_role("menuitem")
        for key in ("Enter", "Space", "ArrowDown"):
            button.focus()
            page.keyboard.press(key)
            expect(items.first).to_be_focused()
            expect(button).to_have_attribute("aria-expanded", "true")
            page.keyboard.press("Escape")
            expect(button).to_be_focused()
            expect(button).to_have_attribute("aria-expanded", "false")
            expect(items).to_have_count(0)
        page.keyboard.press("ArrowUp")
        expect(items.last).to_be_focused()
        page.keyboard.press("ArrowDown")
        expect(items.first).to_be_focused()
        page.keyboard.press("v")
        expect(page.get_by_role("menuitem", name="View deployment")).to_be_focused()
        page.keyboard.press("Home")
        page.keyboard.press("Tab")
        expect(items).to_have_count(0)
        button.click()
        expect(items.first).to_be_focused()
        page.get_by_role("heading", level=1).click()
        expect(items).to_have_count(0)

    play(script)


def test_focus_is_never_on_what_destroys_and_comes_back(play: Play) -> None:
    def script(page: Page, _: InDjango) -> None:
        open_dialog(page)
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_role("heading", name="Rollback Deployment")).to_be_focused()
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        expect(page.get_by_role("button", name="More options").first).to_be_focused()
        open_dialog(page)
        dialog.get_by_role("button", name="Cancel").click()
        expect(dialog).to_have_count(0)
        expect(page.get_by_role("button", name="More options").first).to_be_focused()

    play(script)


def test_the_other_configuration_keeps_the_reason_that_was_typed(play: Play) -> None:
    def script(page: Page, _: InDjango) -> None:
        open_dialog(page)
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Reason", exact=True).fill("Prices are zero")
        dialog.get_by_role("link", name="As it was deployed (revision 1)").click()
        chosen = dialog.locator("[aria-current=true]")
        expect(chosen).to_have_text("As it was deployed (revision 1)")
        expect(chosen).to_be_focused()
        expect(dialog.get_by_label("Reason", exact=True)).to_have_value("Prices are zero")
        dialog.get_by_role("button", name="Rollback", exact=True).click()
        page.wait_for_url("**/deployments/*/")
        expect(page.get_by_role("main")).to_contain_text("Prices are zero")
        expect(page.get_by_role("main")).to_contain_text("revision 1")

    play(script)


def test_two_clicks_send_one_rollback(play: Play) -> None:
    def script(page: Page, _: InDjango) -> None:
        posts = []
        page.on("request", lambda each: posts.append(each.url) if each.method == "POST" else None)
        open_dialog(page)
        button = page.get_by_role("dialog").get_by_role("button", name="Rollback", exact=True)
        button.evaluate("each => { each.click(); each.click(); each.form.requestSubmit() }")
        page.wait_for_url("**/deployments/*/")
        assert len(posts) == 1

    play(script)
    assert Deployment.objects.filter(rolls_back__isnull=False).count() == 1


def test_a_changed_plan_is_shown_again_in_the_dialog(play: Play, shop: Scene) -> None:
    def script(page: Page, in_django: InDjango) -> None:
        open_dialog(page)
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Reason", exact=True).fill("Prices are zero")
        phases = [{"name": "Hosts", "steps": [{"name": "Install", "kind": "lab.install",
                                               "timeout": 60}]}]  # fmt: skip
        in_django(lambda: scene.revise(shop.workflow, {"phases": phases}))
        dialog.get_by_role("button", name="Rollback", exact=True).click()
        expect(dialog.get_by_role("alert")).to_contain_text("What would happen has changed")
        expect(dialog.get_by_role("alert")).to_be_focused()
        expect(dialog.get_by_label("Reason", exact=True)).to_have_value("Prices are zero")

    play(script)
    assert not Deployment.objects.filter(rolls_back__isnull=False).exists()


def test_a_right_lost_while_the_dialog_was_open_is_said_in_it(play: Play, shop: Scene) -> None:
    def script(page: Page, in_django: InDjango) -> None:
        open_dialog(page)
        in_django(lambda: shop.engineer.groups.set(shop.viewer.groups.all()))
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("button", name="Rollback", exact=True).click()
        expect(dialog).to_contain_text("You may not do this")
        dialog.get_by_role("button", name="Close").click()
        expect(dialog).to_have_count(0)

    play(script)


def test_polling_changes_the_panel_and_nothing_that_is_open(play: Play, shop: Scene) -> None:
    def script(page: Page, in_django: InDjango) -> None:
        page.locator("summary", has_text="30 instances").click()
        page.get_by_role("button", name="More options").first.click()
        item = page.get_by_role("menuitem", name="Rollback Deployment")
        expect(item).to_be_focused()
        in_django(lambda: Target.objects.update(synced_at=timezone.now(), sync_error="No route"))
        look_again(page)
        expect(page.get_by_role("main")).to_contain_text("No route")
        expect(page.get_by_text(HOSTS[20])).to_be_visible()
        expect(item).to_be_focused()
        button = page.get_by_role("button", name="More options").first
        expect(button).to_have_attribute("aria-expanded", "true")
        page.keyboard.press("Escape")
        expect(button).to_be_focused()
        in_django(lambda: Target.objects.update(synced_at=timezone.now(), sync_error=""))
        look_again(page)
        expect(page.get_by_role("main")).not_to_contain_text("No route")
        expect(button).to_be_focused()
        open_dialog(page)
        in_django(lambda: Target.objects.update(synced_at=timezone.now()))
        look_again(page)
        expect(page.get_by_role("dialog")).to_be_visible()

    play(script)


def test_a_running_rollback_is_followed_to_its_end(play: Play, shop: Scene) -> None:
    bad = Deployment.objects.latest("pk")
    rollback = factories.make_rollback(bad, status="RUNNING", by=shop.engineer)
    step = factories.make_step(rollback, status="RUNNING", lines=[f"{n}." for n in range(90)])

    def finish() -> None:
        step.status = "SUCCEEDED"
        step.save()
        Deployment.objects.filter(pk=rollback.pk).update(
            status="SUCCEEDED", version=9, finished_at=timezone.now()
        )

    def script(page: Page, in_django: InDjango) -> None:
        page.goto(f"/deployments/{rollback.pk}/")
        expect(page.get_by_role("button", name="Abort")).to_be_visible()
        page.locator("summary", has_text="Log").click()
        log = page.locator(".log")
        log.evaluate("each => each.scrollTop = 40")
        in_django(finish)
        expect(page.get_by_role("main")).to_contain_text("Succeeded")
        expect(page).to_have_title(f"Succeeded: Rollback {rollback.pk} of storefront · Lastgood")
        expect(page.locator("#announcer")).to_have_text(f"Rollback {rollback.pk}: Succeeded")
        expect(page.get_by_role("button", name="Abort")).to_have_count(0)
        expect(log).to_be_visible()
        assert log.evaluate("each => each.scrollTop") == 40
        expect(page.locator("[data-poll]")).to_have_count(0)

    play(script)


def test_silence_is_said_and_an_ended_session_leads_to_signing_in(play: Play) -> None:
    def script(page: Page, _: InDjango) -> None:
        page.route("**/services/*/?version=*", lambda route: route.abort())
        page.evaluate("htmx.trigger(document.getElementById('live'), 'look')")
        expect(page.get_by_role("alert")).to_contain_text("Lastgood does not answer")
        page.unroute("**/services/*/?version=*")
        page.evaluate("htmx.trigger(document.getElementById('live'), 'look')")
        expect(page.get_by_role("alert")).to_have_count(0)
        page.context.clear_cookies()
        page.evaluate("htmx.trigger(document.getElementById('live'), 'look')")
        page.wait_for_url(re.compile("/sign-in/"))
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()

    play(script)
