"""Who asks whether it lives, is ready, or what it counts, and what they are told."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from dashboard.models import Deployment, Event, Status, WorkerSeen
from dashboard.operating import counts, health
from dashboard.operating.stuck import Reason, stuck
from rollbacks import attendance, execution, lifecycle, sweep, tasks
from tests.engine.faults import require_nobody_is_stuck
from tests.lab import Fleet
from tests.scene import Scene, run

NOW = timezone.now()


def samples(client: Client | None = None, **headers: str) -> dict[tuple[str, ...], float]:
    """What /metrics tells: by name and the labels' values, by their names; without process."""
    answer = (client or Client()).get("/metrics", headers=headers)
    assert answer.status_code == 200, answer.content
    return {
        (sample.name, *(value for name, value in sample.labels.items() if name != "process")): (
            sample.value
        )
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


@pytest.fixture
def worker(db: None) -> WorkerSeen:
    """One that has just swept and taken a hint."""
    return WorkerSeen.objects.create(name="one", at=timezone.now(), took_hint_at=timezone.now())


def test_it_is_alive_whatever_else_is_wrong(settings: Settings) -> None:
    """No database fixture: a query would fail this test."""
    settings.SECURE_SSL_REDIRECT = True
    answer = Client().get("/healthz", headers={"host": "10.0.0.7:8000", "x-api-key": "nonsense"})
    assert (answer.status_code, answer.json()) == (200, {"alive": True})
    assert answer["Cache-Control"].startswith("max-age=0")
    assert not answer.cookies


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_probes_are_only_read(path: str) -> None:
    assert Client().post(path).status_code == 405


def test_it_is_ready_once_a_worker_takes_hints(worker: WorkerSeen) -> None:
    answer = Client().get("/readyz", headers={"host": "10.0.0.7:8000"})
    assert answer.status_code == 200
    checks = {key: {"ok": True} for key in ("database", "migrations", "workers")}
    assert answer.json() == {"ready": True, "checks": checks}


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"at": timedelta(minutes=2)}, "No worker was seen for 12"),
        ({"took_hint_at": None}, "Workers live, but none took a hint yet."),
        ({"took_hint_at": timedelta(minutes=2)}, "Workers live, but none took a hint for 12"),
    ],
)
def test_it_is_not_ready_without_a_worker_that_takes_hints(
    worker: WorkerSeen, fields: dict[str, timedelta | None], problem: str
) -> None:
    now = timezone.now()
    WorkerSeen.objects.update(**{name: ago and now - ago for name, ago in fields.items()})
    answer = Client().get("/readyz")
    assert answer.status_code == 503
    told = answer.json()["checks"]["workers"]
    assert told["ok"] is False
    assert told["problem"].startswith(problem)
    assert told["remedy"]


def test_it_is_not_ready_before_a_worker_was_ever_seen(db: None) -> None:
    assert Client().get("/readyz").json()["checks"]["workers"]["problem"] == (
        "No worker was seen yet."
    )


def test_it_is_not_ready_before_every_migration_is_applied(worker: WorkerSeen) -> None:
    MigrationRecorder(connection).record_unapplied("dashboard", "0001_initial")
    checks = Client().get("/readyz").json()["checks"]
    assert checks["migrations"] == {
        "ok": False,
        "problem": "1 migrations were not applied.",
        "remedy": "Run `manage.py migrate`.",
    }
    assert "workers" not in checks


def test_a_database_that_is_away_is_named_without_its_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse() -> None:
        raise OperationalError("connection to db.internal as lastgood failed")

    monkeypatch.setattr(health, "_migrations", refuse)
    answer = Client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"]["problem"] == (
        "The database does not answer (OperationalError)."
    )
    assert b"db.internal" not in answer.content


# Who may see metrics


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("192.0.2.7", {}, 401),
        ("", {}, 401),
        ("127.0.0.1", {"x-forwarded-for": "192.0.2.7"}, 401),
        ("127.0.0.1", {"x-forwarded-proto": "https"}, 401),
        ("192.0.2.7", {"x-forwarded-for": "127.0.0.1"}, 401),
    ],
)
def test_without_a_token_only_this_machine_sees_metrics(
    db: None, address: str, headers: dict[str, str], status: int
) -> None:
    assert Client(REMOTE_ADDR=address).get("/metrics", headers=headers).status_code == status


def test_behind_a_proxy_this_machine_is_everybody(db: None, settings: Settings) -> None:
    settings.BEHIND_HTTPS = True
    assert Client().get("/metrics").status_code == 401


@pytest.mark.parametrize(
    ("sent", "status"),
    [("Bearer t0ken", 200), ("bearer t0ken", 200), ("Bearer t0ke", 401), ("t0ken", 401), ("", 401)],
)
def test_with_a_token_whoever_sends_it_sees_metrics(
    db: None, settings: Settings, sent: str, status: int
) -> None:
    settings.METRICS_TOKEN = "t0ken"
    answer = Client(REMOTE_ADDR="192.0.2.7").get("/metrics", headers={"authorization": sent})
    assert answer.status_code == status
    assert b"t0ken" not in answer.content


# What metrics tell


def test_metrics_tell_what_has_ended_and_how(shop: Scene, fleet: Fleet) -> None:
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")
    shop.roll_back(bad)
    fleet.broken["web-2"] = "apply"
    shop.deploy("1.4.3")
    shop.start("1.4.4")
    Deployment.objects.filter(status=Status.QUEUED).update(
        created_at=timezone.now() - timedelta(seconds=7)
    )

    found = samples()

    assert found["lastgood_executions", "SUCCEEDED"] == 3
    assert found["lastgood_executions", "QUEUED"] == 1
    assert found["lastgood_executions", "ABORTED"] == 0
    assert found["lastgood_executions_finished_total", "VERIFIED", "SUCCEEDED"] == 3
    assert found["lastgood_executions_finished_total", "ROLLED_BACK", "FAILED"] == 1
    assert found[("lastgood_queue_length",)] == 1
    assert 7 <= found[("lastgood_queue_oldest_seconds",)] < 60
    assert found["lastgood_step_seconds_count", "FORWARD", "lab.install"] >= 3
    assert found["lastgood_step_seconds_count", "BACK", "lab.install"] >= 2
    assert sum(found["lastgood_executions_stuck", reason] for reason in Reason) == 0


def test_metrics_cost_the_same_however_much_there_is(shop: Scene, worker: WorkerSeen) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            samples()
        return len(captured)

    empty = cost()
    for number in range(3):
        shop.deploy(f"1.4.{number}")
        WorkerSeen.objects.create(name=f"more-{number}", at=NOW, counts=counts.snapshot())
    assert cost() == empty == 4


def test_a_workers_counts_are_told_by_any_web_process(worker: WorkerSeen) -> None:
    worker.counts = [
        ["lastgood_leases_lost", "lastgood_leases_lost_total", {}, 41.0],
        ["lastgood_of_another_release", "lastgood_of_another_release_total", {}, 1.0],
    ]
    worker.save()
    text = Client().get("/metrics").content.decode()
    assert 'lastgood_leases_lost_total{process="one"} 41.0' in text
    assert 'lastgood_worker_sweep_age_seconds{process="one"}' in text
    assert "another_release" not in text


def test_a_worker_that_is_long_gone_is_not_told(worker: WorkerSeen) -> None:
    WorkerSeen.objects.update(at=timezone.now() - timedelta(minutes=11))
    assert 'process="one"' not in Client().get("/metrics").content.decode()
    attendance.forget(timezone.now() + timedelta(days=1))
    assert not WorkerSeen.objects.exists()


def test_a_lost_lease_is_counted(shop: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def lose(self: execution.Execution) -> None:
        raise lifecycle.LeaseLost("taken over")

    before = samples()[("lastgood_leases_lost_total",)]
    with monkeypatch.context() as patched:
        patched.setattr(execution.Execution, "run", lose)
        deployment = run(shop.start("1.4.1"))
    assert samples()[("lastgood_leases_lost_total",)] == before + 1
    lifecycle.release(
        lifecycle.Lease(deployment.pk, "", deployment.lease_epoch, timezone.now()), timezone.now()
    )


def test_refused_calls_of_the_api_are_counted(db: None) -> None:
    key = ("lastgood_api_calls_refused_total", "401")
    before = samples().get(key, 0)
    Client().post("/graphql", {"query": "{__typename}"}, content_type="application/json")
    Client().post("/graphql", headers={"x-api-key": "lgk_no_no"})
    assert samples()[key] == before + 2


# Attendance


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was sent to the broker; "down" in it makes the next message fail."""
    names: list[str] = []

    def send(name: str, *args: Any, **options: Any) -> None:
        if names == ["down"]:
            raise ConnectionError
        names.append(name)

    for module in (attendance, sweep):
        monkeypatch.setattr(module.current_app, "send_task", send)
    return names


def test_a_sweep_signs_and_sends_a_canary_every_few_seconds(db: None, sent: list[str]) -> None:
    present = attendance.Attendance()
    for seconds in (0, 2, 4, 6):
        present.sign(NOW + timedelta(seconds=seconds))
    assert sent == ["rollbacks.tasks.canary"] * 2
    row = WorkerSeen.objects.get()
    assert (row.name, row.at) == (counts.process_name(), NOW + timedelta(seconds=6))
    assert row.took_hint_at is None
    tasks.canary()
    assert WorkerSeen.objects.get().took_hint_at is not None
    attendance.leave()
    assert not WorkerSeen.objects.exists()


def test_a_worker_signs_also_while_the_broker_is_away(db: None, sent: list[str]) -> None:
    lost = ("lastgood_hints_total", "lost")
    before = samples().get(lost, 0)
    sent.append("down")
    attendance.Attendance().sign(NOW)
    assert WorkerSeen.objects.exists()
    assert samples()[lost] == before + 1


# Stuck


def ago(seconds: float) -> Any:
    return timezone.now() - timedelta(seconds=seconds)


def test_nothing_is_stuck_while_the_engines_own_rule_holds(shop: Scene, fleet: Fleet) -> None:
    shop.deploy("1.4.1")
    shop.start("1.4.2")
    shop.start("1.4.3")
    require_nobody_is_stuck()
    assert not any(stuck(timezone.now()).values())


def test_what_no_worker_takes_in_its_turn_is_stuck_and_who_waits_for_it_is_not(
    shop: Scene,
) -> None:
    for version in ("1.4.1", "1.4.2"):
        shop.start(version)
    Deployment.objects.update(created_at=ago(31))
    assert stuck(timezone.now())[Reason.NOT_TAKEN] == 1
    first = Deployment.objects.earliest("pk")
    run(first)
    assert not any(stuck(timezone.now()).values())


def test_what_no_worker_goes_on_with_is_stuck(shop: Scene) -> None:
    deployment = shop.start("1.4.1")
    lifecycle.claim(deployment.pk, "gone", timezone.now())
    Deployment.objects.update(lease_until=ago(31))
    assert stuck(timezone.now())[Reason.NOT_TAKEN] == 0  # resumed or begun a moment ago
    Event.objects.update(at=ago(60))
    assert stuck(timezone.now())[Reason.NOT_TAKEN] == 1
    assert samples()["lastgood_executions_stuck", "NOT_TAKEN"] == 1
    run(deployment)


def test_a_pause_without_a_reason_and_a_status_without_an_event_are_stuck(shop: Scene) -> None:
    deployment = shop.start("1.4.1")
    lifecycle.claim(deployment.pk, "worker", timezone.now())
    lifecycle.advance(deployment.pk, Status.PAUSED, now=NOW, code="", message="")
    assert stuck(timezone.now())[Reason.UNEXPLAINED] == 1
    Deployment.objects.update(code="UNVERIFIED", message="Not seen.")
    assert not any(stuck(timezone.now()).values())
    Event.objects.filter(status=Status.PAUSED).delete()
    assert stuck(timezone.now())[Reason.UNTOLD] == 1
    Deployment.objects.update(status=Status.FAILED)
    Event.objects.update(status=Status.FAILED)


def test_who_waits_behind_a_later_one_waits_for_nothing(shop: Scene) -> None:
    first, second = shop.start("1.4.1"), shop.start("1.4.2")
    Deployment.objects.filter(pk=second.pk).update(status=Status.PAUSED, code="X", message="x")
    Event.objects.filter(deployment=second).update(status=Status.PAUSED)
    assert stuck(timezone.now())[Reason.WAITS_FOR_NOTHING] == 1
    Deployment.objects.filter(pk=second.pk).update(status=Status.ABORTED)
    Event.objects.filter(deployment=second).update(status=Status.ABORTED)
    run(first)
