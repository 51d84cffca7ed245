"""What an earlier release left in mid-run is gone on with by this one; see record.py."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection, connections
from django.test import Client
from django.utils import timezone

from accounts.models import User
from dashboard.models import Deployment, Status, Target
from rollbacks import actions, execution, lifecycle, platforms
from tests.engine import faults
from tests.lab import Fleet, Lab

JOURNALS = sorted((Path(__file__).parent / "journals").glob("*.sql"))


@pytest.fixture(params=JOURNALS, ids=lambda path: path.stem)
def fleet(
    request: pytest.FixtureRequest,
    transactional_db: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Fleet]:
    """The hosts as they were recorded; the database is the recorded one, brought up to date."""
    if connection.vendor != "sqlite":
        pytest.skip("what was recorded is a database of SQLite")
    recorded: Path = request.param
    path = tmp_path / "recorded.sqlite3"
    with closing(sqlite3.connect(path)) as loading:
        loading.executescript(recorded.read_text())
    hosts = Fleet(json.loads(recorded.with_suffix(".json").read_text()))
    monkeypatch.setitem(platforms.PLATFORMS, "SSH", Lab(hosts))
    connection.close()
    with monkeypatch.context() as elsewhere:
        # Every connection of every thread is made from this dictionary.
        elsewhere.setitem(connections.settings["default"], "NAME", str(path))
        call_command("migrate", verbosity=0)
        yield hosts
        faults.require_nobody_is_stuck()
        connection.close()


def of(story: str) -> Target:
    """The target on which it happened."""
    return Target.objects.get(infrastructure__name=story)


def go_on() -> None:
    """Let workers come until nothing waits for one."""
    while due := lifecycle.due(timezone.now()):
        for pk in due:
            execution.execute(pk, "successor")


def ended(story: str) -> Deployment:
    go_on()
    return of(story).deployments.latest("pk")


def runs(fleet: Fleet, story: str) -> list[str]:
    """The versions on its hosts."""
    hosts = of(story).infrastructure.settings["hosts"]
    return [fleet.runs[host].partition("-")[2] for host in hosts]


def page(deployment: Deployment) -> str:
    """What its page shows an engineer."""
    browser = Client()
    browser.force_login(User.objects.get(username="engineer"))
    answer = browser.get(f"/deployments/{deployment.pk}/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_rollback_in_mid_step_goes_on(fleet: Fleet) -> None:
    rollback = of("rolling_back").deployments.latest("pk")
    assert rollback.status == Status.RUNNING
    assert "Running" in page(rollback)
    done = ended("rolling_back")
    assert (done.pk, done.status, done.code) == (rollback.pk, Status.SUCCEEDED, "VERIFIED")
    assert runs(fleet, "rolling_back") == ["1.4.1"] * 3
    assert fleet.runs["rolling_back-3"] == fleet.runs["rolling_back-1"]
    assert [call for call in fleet.calls if call[2].startswith("rolling_back")] == [
        ("undo", "Undo Install", "rolling_back-3")
    ]
    assert done.message in page(done)


def test_a_deployment_in_mid_step_goes_on(fleet: Fleet) -> None:
    deployment = of("deploying").deployments.latest("pk")
    assert deployment.status == Status.RUNNING
    done = ended("deploying")
    assert (done.pk, done.status, done.code) == (deployment.pk, Status.SUCCEEDED, "VERIFIED")
    assert runs(fleet, "deploying") == ["1.4.2"] * 3
    assert ("apply", "Install", "deploying-1") not in fleet.calls
    assert of("deploying").current_deployment == done
    assert done.message in page(done)


def test_what_is_paused_waits_for_somebody_and_what_is_queued_for_that(fleet: Fleet) -> None:
    queued, rollback = of("paused").deployments.order_by("-pk")[:2]
    go_on()
    assert [Deployment.objects.get(pk=each.pk).status for each in (rollback, queued)] == [
        Status.PAUSED,
        Status.QUEUED,
    ]
    assert "could not be seen on paused-3" in page(rollback)
    assert "Queued" in page(queued)
    actions.resume(rollback, User.objects.get(username="engineer"), timezone.now())
    go_on()
    for each in (rollback, queued):
        each.refresh_from_db()
        assert (each.status, each.code) == (Status.SUCCEEDED, "VERIFIED"), each.message
    assert runs(fleet, "paused") == ["1.4.3"] * 3
    assert of("paused").current_deployment == queued


def test_what_was_aborted_ends_and_says_where(fleet: Fleet) -> None:
    deployment = of("aborting").deployments.latest("pk")
    assert "Aborting" in page(deployment)
    done = ended("aborting")
    assert (done.pk, done.status) == (deployment.pk, Status.ABORTED)
    assert done.message == (
        "Aborted by engineer. Left as they are: "
        "aborting-1 at 1.4.2, aborting-2 at 1.4.1, aborting-3 at 1.4.1."
    )
    assert runs(fleet, "aborting") == ["1.4.2", "1.4.1", "1.4.1"]
    assert done.message in page(done)


def test_what_was_undoing_itself_is_undone(fleet: Fleet) -> None:
    done = ended("undoing_itself")
    assert (done.status, done.code) == (Status.FAILED, "ROLLED_BACK"), done.message
    assert "undoing_itself-3: exit status 1" in done.message
    assert runs(fleet, "undoing_itself") == ["1.4.1"] * 3
    assert of("undoing_itself").current_deployment == of("undoing_itself").deployments.earliest(
        "pk"
    )
    assert "Failed" in page(done)


def test_what_had_failed_is_still_told(fleet: Fleet) -> None:
    failed = of("failed").deployments.latest("pk")
    go_on()
    assert (failed.status, failed.code) == (Status.FAILED, "ROLLBACK_FAILED")
    assert runs(fleet, "failed") == ["1.4.2", "1.4.1", "1.4.1"]
    assert "Then the rollback failed: Undo Install: failed-1: exit status 1" in page(failed)
