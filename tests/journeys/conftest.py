"""People in a real browser, a real site, real hosts behind real sshd."""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone
from playwright.sync_api import Browser, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from dashboard.models import HOLDING, Deployment, Status, Target
from rollbacks import execution, observation, tasks
from tests.artifacts import zip_artifact
from tests.scene import Scene, scene
from tests.sshd import Fleet

CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="package", autouse=True)
def _playwright_beside_django() -> Iterator[None]:
    """Playwright's loop runs in this thread until the last journey ends; Django must not mind."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    yield
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch, transactional_db: None) -> Iterator[None]:
    """A worker in threads of this process, woken as Celery would wake it."""
    pool = ThreadPoolExecutor(8)

    def work(deployment_id: int) -> None:
        try:
            execution.execute(deployment_id, "journey")
        finally:
            connection.close()

    def look(target_id: int) -> None:
        try:
            observation.sync(Target.objects.get(pk=target_id), timezone.now())
        finally:
            connection.close()

    def at_once(deployment: Deployment) -> Deployment:
        # Not in this thread, in which Playwright's loop runs; the hint has woken the worker.
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            deployment.refresh_from_db()
            if deployment.is_finished:
                break
            time.sleep(0.1)
        return deployment

    monkeypatch.setattr("tests.scene.run", at_once)
    monkeypatch.setattr(tasks, "hint", lambda pk: pool.submit(work, pk))
    monkeypatch.setattr(tasks, "hint_sync", lambda pk: pool.submit(look, pk))
    yield
    # What a failed test left running must not wait for hosts that are gone.
    Deployment.objects.filter(status__in=HOLDING).update(status=Status.ABORTING)
    pool.shutdown()


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    """Three hosts."""
    with Fleet(3, tmp_path / "fleet") as running:
        yield running


@pytest.fixture
def shop(fleet: Fleet, worker: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """The shop on real hosts: 1.4.1 was deployed, then 1.4.2, which is wrong."""
    key = tmp_path / "client_key"
    key.write_text(fleet.private_key)
    made = scene(
        connector=fleet.connector,
        settings=fleet.infrastructure,
        credential=f"file:{key}",
        definition={},
    )
    for version, price in (("1.4.1", "19.90"), ("1.4.2", "0.00")):
        path = tmp_path / f"{version}.zip"
        path.write_bytes(zip_artifact({"index.html": f"<p>{version}: {price}</p>"}))
        artifact = made.artifact(version)
        artifact.location = str(path)
        artifact.save()
        deployment = made.deploy(version)
        assert deployment.status == "SUCCEEDED", deployment.message
    return made


@pytest.fixture
def visit(chromium: Browser, live_server: LiveServer) -> Iterator[Callable[..., Page]]:
    """Open a path of the site in a browser of one's own, signed in as somebody."""
    contexts = []

    def open_as(name: str, path: str = "/", **options: object) -> Page:
        context = chromium.new_context(base_url=live_server.url, **options)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.goto("/sign-in/")
        page.get_by_label("Username").fill(name)
        page.get_by_label("Password").fill(name)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda url: "/sign-in/" not in url)
        page.goto(path)
        return page

    yield open_as
    for context in contexts:
        context.close()
