"""What people and programs are told while the database is away or its disk is full."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import OperationalError, connection, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import User
from dashboard.models import WorkerSeen


@contextmanager
def nothing_written() -> Iterator[None]:
    """As on a disk that is full: what is there can be read."""
    if connection.vendor != "sqlite":
        pytest.skip("the switch is SQLite's")
    connection.cursor().execute("PRAGMA query_only = 1")
    try:
        yield
    finally:
        # The test's own transaction was broken by what failed in it.
        transaction.set_rollback(False)
        connection.cursor().execute("PRAGMA query_only = 0")


@pytest.fixture
def client(db: None) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.create_user("viewer"))
    return client


@pytest.mark.parametrize("path", ["/sign-out/", "/graphql"])
def test_what_cannot_be_written_is_answered_503_and_says_why(client: Client, path: str) -> None:
    with nothing_written():
        body = {"query": "{ viewer { name } }"}
        answer = client.post(path, body, content_type="application/json")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert b"takes no writes" in answer.content
    assert b"Traceback" not in answer.content
    assert answer["Content-Type"].startswith("application/json" if "graph" in path else "text/html")


def test_a_field_that_finds_the_database_away_is_answered_503(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise OperationalError("the database system is starting up")

    monkeypatch.setattr("dashboard.schema.page", away)
    body = {"query": "{ applications { nodes { id } } }"}
    answer = client.post("/graphql", body, content_type="application/json")
    assert answer.status_code == 503
    assert answer.json()["errors"][0]["extensions"] == {"code": "UNAVAILABLE"}
    assert "starting up" not in answer.content.decode()


def test_any_other_failure_is_answered_500(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.queries.services", lambda *_: 1 / 0)
    answer = client.get("/")
    assert answer.status_code == 500
    assert b"Something went wrong" in answer.content


def test_it_is_not_ready_where_the_database_takes_no_writes(client: Client) -> None:
    WorkerSeen.objects.create(name="one", at=timezone.now() - timedelta(seconds=15))
    with nothing_written():
        answer = client.get("/readyz")
    assert answer.status_code == 503
    told = answer.json()["checks"]["database"]
    assert told["problem"] == "The database answers, but takes no writes (OperationalError)."
    assert "disk" in told["remedy"]
    assert list(WorkerSeen.objects.values_list("name", flat=True)) == ["one"]


def test_a_missing_signature_alone_does_not_say_that_nothing_is_written(client: Client) -> None:
    WorkerSeen.objects.create(
        name="one", at=timezone.now() - timedelta(seconds=15), took_hint_at=timezone.now()
    )
    assert client.get("/readyz").status_code == 200
    assert WorkerSeen.objects.count() == 1
