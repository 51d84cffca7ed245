"""What is deleted for its age, and what never is."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from dashboard.models import Deployment, Event, LogLine, Phase, Status, Step, StepStatus, Turn
from rollbacks import retention, tasks
from tests.engine.faults import finish
from tests.engine.threads import at_once
from tests.lab import Fleet
from tests.scene import Scene, run

NOW = timezone.now()


@pytest.fixture(autouse=True)
def _days(settings: Settings) -> None:
    settings.KEEP_LOG_DAYS, settings.KEEP_JOURNAL_DAYS = 10, 20


def age(deployment: Deployment, days: float) -> Deployment:
    """Let it have ended so long ago."""
    Deployment.objects.filter(pk=deployment.pk).update(finished_at=NOW - timedelta(days=days))
    return deployment


def journal(deployment: Deployment) -> tuple[int, int, int, int]:
    """How many phases, steps, events and log lines there are of it."""
    return (
        Phase.objects.filter(deployment=deployment).count(),
        Step.objects.filter(phase__deployment=deployment).count(),
        Event.objects.filter(deployment=deployment).count(),
        LogLine.objects.filter(step__phase__deployment=deployment).count(),
    )


def pruned(*, logs: int = 0, journals: int = 0) -> retention.Pruned:
    return retention.Pruned(logs, journals)


def test_log_lines_go_first_and_journals_later(shop: Scene) -> None:
    old = shop.deploy("1.4.1")
    for version in ("1.4.2", "1.4.3"):
        shop.deploy(version)
    whole = journal(old)
    assert min(whole) >= 1

    age(old, 9)
    assert retention.prune(NOW) == pruned()
    assert journal(old) == whole

    age(old, 11)
    assert retention.prune(NOW) == pruned(logs=1)
    assert journal(old) == (*whole[:3], 0)
    assert retention.prune(NOW) == pruned()

    age(old, 21)
    assert retention.prune(NOW) == pruned(journals=1)
    assert journal(old) == (0, 0, 0, 0)
    assert retention.prune(NOW) == pruned()
    old.refresh_from_db()
    assert (old.status, old.code) == (Status.SUCCEEDED, "VERIFIED")
    assert old.after["instances"]


@pytest.mark.parametrize("days", [(0, 0), (0, 20)])
def test_nought_days_keep_for_ever(shop: Scene, settings: Settings, days: tuple[int, int]) -> None:
    settings.KEEP_JOURNAL_DAYS, settings.KEEP_LOG_DAYS = days
    old = age(shop.deploy("1.4.1"), 5000)
    for version in ("1.4.2", "1.4.3"):
        shop.deploy(version)
    steps = journal(old)[1]
    retention.prune(NOW)
    assert journal(old)[1] == steps
    assert (journal(old)[3] == 0) == bool(days[1])


def test_what_a_rollback_needs_stays_however_old_and_works(shop: Scene, fleet: Fleet) -> None:
    oldest, good, bad = (age(shop.deploy(f"1.4.{number}"), 5000) for number in (0, 1, 2))
    before = [journal(each) for each in (good, bad)]

    assert retention.prune(NOW) == pruned(journals=1)

    assert [journal(each) for each in (good, bad)] == before
    assert journal(oldest) == (0, 0, 0, 0)
    rollback = shop.roll_back(bad)
    assert (rollback.status, rollback.code) == (Status.SUCCEEDED, "VERIFIED")
    assert {name.partition("-")[2] for name in fleet.runs.values()} == {"1.4.1"}


def test_what_a_failed_rollback_would_undo_next_time_stays(shop: Scene, fleet: Fleet) -> None:
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")
    fleet.broken["web-2"] = "undo"
    failed = shop.roll_back(bad)
    assert failed.status == Status.FAILED
    fleet.broken.clear()
    Deployment.objects.update(finished_at=NOW - timedelta(days=5000))
    assert retention.prune(NOW) == pruned()
    assert shop.roll_back(bad).status == Status.SUCCEEDED


def test_what_waits_or_runs_stays_with_what_it_is_about(shop: Scene, fleet: Fleet) -> None:
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")
    waiting = shop.confirm(bad)
    queued = shop.start("1.4.3")
    Deployment.objects.filter(finished_at__isnull=False).update(
        finished_at=NOW - timedelta(days=5000)
    )
    assert retention.prune(NOW) == pruned()
    assert run(waiting).status == Status.SUCCEEDED
    assert run(queued).status == Status.SUCCEEDED


def test_a_rollback_goes_before_or_with_what_it_undid(shop: Scene) -> None:
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")
    rollback = shop.roll_back(bad)
    for version in ("1.4.3", "1.4.4", "1.4.5"):
        shop.deploy(version)
    for deployment in (bad, Deployment.objects.earliest("pk")):
        age(deployment, 30)

    age(rollback, 15)  # its steps still point at those of the bad one
    assert retention.with_old_journal(NOW).count() == 1
    assert retention.prune(NOW) == pruned(journals=1, logs=2)
    assert journal(bad)[1] > 0

    age(rollback, 30)
    assert retention.with_old_journal(NOW).count() == 2
    assert retention.prune(NOW) == pruned(journals=2)
    assert journal(bad) == journal(rollback) == (0, 0, 0, 0)


def test_a_failed_deployment_that_undid_itself_is_pruned(shop: Scene, fleet: Fleet) -> None:
    fleet.broken["web-2"] = "apply"
    failed = shop.deploy("1.4.1")
    assert failed.code == "ROLLED_BACK"
    fleet.broken.clear()
    shop.deploy("1.4.2")
    age(failed, 30)
    assert retention.prune(NOW) == pruned(journals=1)


def test_every_history_is_pruned_without_a_fault_and_can_still_be_rolled_back(
    shop: Scene, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deployments, rollbacks, failures in turn, with an old age for all: the invariant holds."""
    monkeypatch.setattr(retention, "BATCH", 3)
    shop.deploy("1.0.0")
    for number in range(1, 7):
        latest = shop.deploy(f"1.{number}.0")
        if number % 2:
            shop.roll_back(latest)
        if number % 3 == 0:
            fleet.broken["web-1"] = "apply"
            shop.deploy(f"1.{number}.1")
            fleet.broken.clear()
    bad = shop.deploy("2.0.0")
    Deployment.objects.update(finished_at=NOW - timedelta(days=5000))
    count = Deployment.objects.count()
    assert retention.prune(NOW).journals == count - 2  # the current one and what it replaced
    assert shop.roll_back(bad).status == Status.SUCCEEDED
    assert Deployment.objects.count() == count + 1


def test_a_step_of_many_lines_is_pruned_in_small_transactions(
    shop: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "LINES", 10)
    old = age(shop.deploy("1.4.1"), 11)
    for version in ("1.4.2", "1.4.3"):
        shop.deploy(version)
    step = Step.objects.filter(phase__deployment=old).first()
    LogLine.objects.bulk_create(LogLine(step=step, at=NOW, text=str(n)) for n in range(95))
    with CaptureQueriesContext(connection) as captured:
        retention.prune(NOW)
    deleted = [each["sql"] for each in captured if each["sql"].startswith("DELETE")]
    assert len(deleted) == 10
    assert journal(old)[3] == 0


def test_time_that_is_up_leaves_the_rest_for_the_next_hour(shop: Scene) -> None:
    old = age(shop.deploy("1.4.1"), 30)
    for version in ("1.4.2", "1.4.3"):
        shop.deploy(version)
    assert retention.prune(NOW, for_seconds=0) == pruned()
    assert journal(old)[1] > 0
    tasks.prune()
    assert journal(old)[1] == 0


def test_of_many_workers_one_gets_the_turn_and_the_next_an_hour_later(
    transactional_db: None,
) -> None:
    assert not retention.take_turn(NOW)  # nobody had a turn yet: the row is made
    later = NOW + timedelta(seconds=1)
    turns = at_once(8, lambda _: retention.take_turn(later))
    assert sorted(turn.result() for turn in turns) == [False] * 7 + [True]
    assert not retention.take_turn(later + timedelta(minutes=59))
    assert retention.take_turn(later + timedelta(minutes=61))
    assert Turn.objects.count() == 1


def told(*options: str) -> str:
    out = StringIO()
    call_command("prune", *options, stdout=out)
    return out.getvalue()


def test_the_command_says_what_would_go_and_then_lets_it_go(shop: Scene) -> None:
    for number, days in ((0, 30), (1, 15), (2, 5), (3, 4)):
        age(shop.deploy(f"1.4.{number}"), days)
    assert told("--dry-run") == (
        "Logs are kept 10 days.\n"
        "Journals are kept 20 days.\n"
        "Would prune the journals of 1, 1 steps.\n"
        "Would prune the log lines of 1 others.\n"
        "6 log lines in all. Nothing was deleted.\n"
    )
    assert LogLine.objects.count() == 12
    assert told().splitlines()[2:] == [
        "Pruned the journals of 1 executions.",
        "Pruned the log lines of 1 others.",
    ]
    assert LogLine.objects.count() == 6


def test_pages_say_that_a_journal_or_a_log_was_pruned(shop: Scene) -> None:
    first, second = age(shop.deploy("1.4.1"), 30), age(shop.deploy("1.4.2"), 15)
    for version in ("1.4.3", "1.4.4"):
        shop.deploy(version)
    client = Client()
    client.force_login(shop.viewer)

    def page(deployment: Deployment) -> Any:
        return client.get(f"/deployments/{deployment.pk}/").content.decode()

    assert "pruned" not in page(first) + page(second)
    retention.prune(NOW)
    client.force_login(shop.engineer)
    in_admin = client.get(f"/admin/dashboard/deployment/{first.pk}/change/")
    assert "Journal pruned at" in in_admin.content.decode()
    assert f"This journal was pruned on {NOW:%Y-%m-%d}" in page(first)
    assert "events-heading" not in page(first)
    assert f"Log lines were pruned on {NOW:%Y-%m-%d}" in page(second)
    assert "events-heading" in page(second)


def test_an_execution_in_the_middle_of_its_work_loses_nothing(shop: Scene) -> None:
    deployment = shop.start("1.4.1")
    Step.objects.update(status=StepStatus.RUNNING)
    Deployment.objects.update(created_at=NOW - timedelta(days=5000), started_at=None)
    assert retention.prune(NOW) == pruned()
    assert finish(deployment).status == Status.SUCCEEDED
