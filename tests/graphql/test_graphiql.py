"""GraphiQL in a real browser: served by this site alone, under its Content-Security-Policy."""

from collections.abc import Callable

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from tests.chromium import Chromium, chromium_thread
from tests.graphql.conftest import URL, Caller
from tests.pages.test_looks import sign_in

__all__ = ["chromium_thread"]

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def test_a_browser_is_shown_graphiql(viewer: Caller) -> None:
    answer = viewer.client.get(URL, headers=BROWSER)
    assert answer.status_code == 200
    page = answer.content.decode()
    assert "graphiql/vendor/graphiql.js" in page
    assert "csrftoken" in answer.cookies
    assert "//" not in page.replace("<!doctype", "")


def test_the_page_has_the_same_policy_as_every_page(viewer: Caller) -> None:
    policies = [
        set(viewer.client.get(path, headers=BROWSER)["Content-Security-Policy"].split("; "))
        for path in (URL, "/")
    ]
    assert policies[0] == policies[1]
    assert {"default-src 'none'", "script-src 'self'", "style-src 'self'"} <= policies[0]


@pytest.mark.parametrize("accept", ["application/json", "*/*"])
def test_programs_are_not_shown_graphiql(viewer: Caller, accept: str) -> None:
    answer = viewer.client.get(URL, headers={"accept": accept})
    assert answer.status_code == 405
    assert answer["Content-Type"] == "application/json"


def test_strangers_are_not_shown_graphiql() -> None:
    answer = Client().get(URL, headers=BROWSER)
    assert answer.status_code == 401
    assert "graphiql" not in answer.content.decode()


@pytest.mark.parametrize(
    "name", ["graphiql.js", "graphiql.css", "react.js", "react-dom.js", "LICENSES.txt"]
)
def test_everything_of_it_is_served_here_without_source_maps(name: str) -> None:
    path = finders.find(f"graphiql/vendor/{name}")
    assert isinstance(path, str)
    with open(path, encoding="utf-8") as file:
        content = file.read()
    assert "sourceMappingURL" not in content
    assert "@font-face" not in content


Script = Callable[[Page, list[str]], None]


@pytest.fixture
def play(
    transactional_db: None, live_server: LiveServer, chromium_thread: Chromium
) -> Callable[[Script], None]:
    """Run a script on the page as a person; it is given what the console and the network said."""
    User.objects.create_user("ada", password="ada")

    def play_it(script: Script) -> None:
        def run(page: Page) -> None:
            said: list[str] = []
            sign_in(page, "ada")
            page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
            page.on("pageerror", lambda error: said.append(str(error)))
            asked: list[str] = []
            page.on("request", lambda request: asked.append(request.url))
            page.goto(URL)
            script(page, said)
            assert all(url.startswith((live_server.url, "data:")) for url in asked)

        chromium_thread.run(run, base_url=live_server.url)

    return play_it


def write(page: Page, query: str) -> None:
    editor = page.locator(".graphiql-query-editor .CodeMirror")
    expect(editor).to_be_visible()
    editor.click()
    page.keyboard.press("Control+A")
    page.keyboard.type(query)


def test_a_query_is_typed_and_answered_and_the_browser_objects_to_nothing(
    play: Callable[[Script], None],
) -> None:
    def script(page: Page, said: list[str]) -> None:
        write(page, "{ viewerName ")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Execute query").click()
        expect(page.locator(".result-window")).to_contain_text('"viewerName": "ada"')
        page.get_by_role("button", name="Show Documentation Explorer").click()
        expect(page.locator(".graphiql-plugin")).to_contain_text("Query")
        assert said == []

    play(script)


def test_a_refusal_is_shown(play: Callable[[Script], None]) -> None:
    def script(page: Page, said: list[str]) -> None:
        write(page, 'mutation { createKey(name: "mine") ')
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Execute query").click()
        expect(page.locator(".result-window")).to_contain_text("Manage API Keys")
        assert said == []

    play(script)
