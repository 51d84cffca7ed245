"""Chromium in a thread of its own: Playwright's loop and Django's queries do not share one.

It is started once for a module, which takes longer than most of what is done in it.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.journeys.conftest import CHROMIUM

Result = TypeVar("Result")


class Chromium:
    """Runs scripts one after the other, each with a page in a profile of its own."""

    def __init__(self, browser: Browser, thread: ThreadPoolExecutor) -> None:
        self._browser = browser
        self._thread = thread

    def run(self, script: Callable[[Page], Result], **options: Any) -> Result:
        """What the script returns or raises; `options` are those of the profile."""
        return self._thread.submit(self._run, script, options).result()

    def _run(self, script: Callable[[Page], Result], options: dict[str, Any]) -> Result:
        with self._browser.new_context(**options) as context:
            return script(context.new_page())


@pytest.fixture(scope="module")
def chromium_thread() -> Iterator[Chromium]:
    with ThreadPoolExecutor(1) as thread:
        playwright = thread.submit(lambda: sync_playwright().start()).result()
        browser = thread.submit(
            lambda: playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        ).result()
        yield Chromium(browser, thread)
        thread.submit(browser.close).result()
        thread.submit(playwright.stop).result()
