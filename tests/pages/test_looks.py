"""Every page in a browser, with the data of a bad week: nothing wider than the window, nothing that
axe objects to. LASTGOOD_PICTURES=directory keeps a picture of each."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from rollbacks import platforms
from rollbacks.platforms.base import Difference, Inspection
from tests import lab
from tests.chromium import Chromium, chromium_thread
from tests.nightly import IS_NIGHTLY
from tests.pages.world import HOSTS, make_world, rolled_back
from tests.scene import Scene

__all__ = ["chromium_thread"]

LOOKS = [("light", 1280), ("dark", 390)]
if "LASTGOOD_PICTURES" in os.environ or IS_NIGHTLY:
    LOOKS += [("dark", 1280), ("light", 390)]


WRITES = (
    "@@ -12,7 +12,7 @@", "   containers:", "   - name: storefront",
    "-    image: registry.example/shop/storefront:1.4.2",
    "+    image: registry.example/shop/storefront:1.4.1",
)  # fmt: skip
SAYS = Inspection(
    differences=(
        Difference("deployment/storefront", "Deployment storefront", WRITES),
        Difference("deployment/storefront", "ConfigMap storefront-settings", WRITES[:1]),
    ),
    warnings=("An autoscaler sets the number of pods; it is left as it is.",),
    problems=("deployments.apps is forbidden: shop-deployer may not patch it.",),
)


@pytest.fixture
def world(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Scene:
    fleet = lab.Fleet(dict.fromkeys(HOSTS, ""))
    monkeypatch.setitem(platforms.PLATFORMS, "SSH", lab.Lab(fleet))
    made = make_world()
    # What the dialog compares with is looked at when it is opened.
    fleet.runs[HOSTS[3]] = "17-1.4.0"
    fleet.silent.add(HOSTS[9])
    fleet.inspections["Undo Install"] = [SAYS]
    return made


def sign_in(page: Page, name: str) -> None:
    page.context.clear_cookies()
    page.goto("/sign-in/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(name)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/sign-in/" not in url)


def open_menu(page: Page) -> None:
    page.get_by_role("button", name="More options").first.click()
    expect(page.get_by_role("menuitem").first).to_be_focused()


def open_dialog(page: Page) -> None:
    open_menu(page)
    page.get_by_role("menuitem", name="Rollback Deployment").click()
    expect(page.get_by_role("dialog")).to_contain_text("checked")


def scroll_dialog(page: Page) -> None:
    open_dialog(page)
    page.locator("#confirm-body").evaluate("each => each.scrollTo(0, each.scrollHeight)")


def open_differences(page: Page) -> None:
    open_dialog(page)
    for each in page.locator("#drift summary").all():
        each.click()
    page.locator("#would-fail").scroll_into_view_if_needed()


def open_everything(page: Page) -> None:
    for each in page.locator("main summary").all():
        each.click()


def wait_for_controls(page: Page) -> None:
    expect(page.locator("#controls")).not_to_contain_text("Actions")


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_every_page_fits_and_is_accessible(
    world: Scene, live_server: LiveServer, chromium_thread: Chromium, scheme: Any, width: int
) -> None:
    look = Look(scheme, width)
    wanted = views(world)
    problems = chromium_thread.run(
        lambda page: look.at(page, wanted),
        base_url=live_server.url,
        color_scheme=scheme,
        viewport={"width": width, "height": 860},
    )
    assert not {name: found for name, found in problems.items() if found}


Act = Callable[[Page], None]
View = tuple[str, str, str, Act | None]


def views(world: Scene) -> list[View]:
    """Name of the picture, who signs in first (empty: as before), the address, what is done."""
    extra, service = world.extra, f"/services/{world.service.pk}/"
    of = {name: f"/deployments/{each.pk}/" for name, each in extra.items()}
    return [
        ("services-nothing", "stranger", "/", None),
        ("services-qa", "tester", "/", None),
        ("services", "engineer", "/", None),
        ("services-none", "", "/?q=nothing+like+it", None),
        ("service", "", service, None),
        ("service-open", "", service, open_everything),
        ("service-menu", "", service, open_menu),
        ("service-dialog", "", service, open_dialog),
        ("service-dialog-differences", "", service, open_differences),
        ("service-dialog-end", "", service, scroll_dialog),
        ("service-long", "", f"/services/{extra['long'].pk}/", None),
        ("deployments", "", "/deployments/", None),
        ("deployment", "", of["bad"], wait_for_controls),
        ("deployment-running", "", of["running"], wait_for_controls),
        ("deployment-open", "", of["running"], open_everything),
        ("deployment-paused", "", of["paused"], wait_for_controls),
        ("deployment-asking", "", of["asking"], wait_for_controls),
        ("deployment-failed", "", of["rollback failed"], wait_for_controls),
        ("rollback-continued", "", f"{of['failed']}rollback/", None),
        ("deployment-undone", "", of["being rolled back"], wait_for_controls),
        ("deployment-over", "", f"/deployments/{rolled_back().pk}/", wait_for_controls),
        ("rollback-page", "", f"{of['bad']}rollback/?configuration=deployed", None),
        ("rollback-refused", "", f"{of['being rolled back']}rollback/", None),
        ("menu-page", "", f"{of['being rolled back']}controls/", None),
        ("execute", "", f"{service}execute/", None),
        ("execute-wrong", "", f"{service}execute/", _send_nothing),
        ("not-found", "", "/nowhere/", None),
        ("audit", "auditor", "/audit/", open_everything),
        ("audit-filtered", "", "/audit/?q=Robots&since=someday", None),
        ("audit-nothing", "", "/audit/?q=nothing+like+it", None),
        ("audit-verified", "", "/audit/?verb=KEY_REVOKED", verify),
        ("denied", "viewer", f"{of['bad']}rollback/", None),
    ]


def verify(page: Page) -> None:
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("The trail is whole")


def _send_nothing(page: Page) -> None:
    page.locator("main form").evaluate("form => form.noValidate = true")
    page.get_by_role("button", name="Execute").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was started")


@dataclass
class Look:
    """A color scheme and a width."""

    scheme: str
    width: int

    def at(self, page: Page, views: list[View]) -> dict[str, list[str]]:
        """What is wrong, by name of the view."""
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        found = {view[0]: self._at(page, view) for view in views}
        # The browser says so of every answer 4xx, which some of these pages are.
        return found | {"console": [each for each in said if "status of 4" not in each]}

    def _at(self, page: Page, view: View) -> list[str]:
        name, person, path, act = view
        if person:
            sign_in(page, person)
        page.goto(path)
        if act:
            act(page)
        keep(page, f"{name}-{self.scheme}-{self.width}")
        return found_on(page)


def found_on(page: Page) -> list[str]:
    """What is wrong with the page as it is shown."""
    violations = Axe().run(page).response["violations"]
    wrong = [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in violations]
    wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    if (extra := page.evaluate(wider)) > 0:
        wrong.append(f"{extra} px wider than the window")
    return wrong


def keep(page: Page, name: str) -> None:
    if directory := os.environ.get("LASTGOOD_PICTURES"):
        has_dialog = page.locator("dialog[open], :popover-open").count()
        path = Path(directory) / f"{name}.png"
        page.screenshot(path=path, full_page=not has_dialog, animations="disabled")
