"""The audit page and its files: who may read them, and what they find."""

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import AsyncClient, Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import administration, audit
from accounts.models import AuditEvent, User, UserGroup
from accounts.rows import Permissions
from accounts.vocabulary import AccountPermission, Verb
from tests.scene import group, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def auditor() -> Client:
    return signed_in(person("auditor", group("Auditors", account=[AccountPermission.VIEW_AUDITS])))


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def tell(count: int, verb: Verb = Verb.GROUP_CHANGED, **fields: Any) -> None:
    for number in range(count):
        audit.record(verb, actor=None, message=f"event {number}", **fields)


def content(answer: Any) -> str:
    assert isinstance(answer, StreamingHttpResponse)
    return b"".join(answer).decode()  # type: ignore[arg-type]


def test_only_who_may_view_audits_reads_it_and_who_may_not_is_recorded(auditor: Client) -> None:
    tell(1)
    viewer = signed_in(person("viewer"))
    former = signed_in(person("former", UserGroup.objects.get(name="Auditors"), is_active=False))
    for address in ("/audit/", "/audit/export.csv", "/audit/export.jsonl"):
        assert auditor.get(address).status_code == 200
        assert viewer.get(address).status_code == 403
        assert former.get(address).status_code == 302
        assert Client().get(address).status_code == 302
    assert auditor.post("/audit/verify/").status_code == 200
    assert viewer.post("/audit/verify/").status_code == 403
    refused = AuditEvent.objects.filter(verb=Verb.REFUSED, actor__username="viewer")
    assert refused.count() == 4
    assert "View Audit Trail" in refused[0].message
    assert "View Audit Trail" in viewer.get("/audit/").content.decode()


def test_the_way_to_it_is_shown_to_who_may_read_it(auditor: Client) -> None:
    assert 'href="/audit/"' in auditor.get("/").content.decode()
    assert 'href="/audit/"' not in signed_in(person("viewer")).get("/").content.decode()


def test_a_change_shows_what_was_taken_and_what_was_given(auditor: Client) -> None:
    made = administration.create_group("Night shift", by=None)
    wanted = Permissions(frozenset({AccountPermission.MANAGE_APPLICATIONS}))
    administration.set_permissions(made, wanted, by=None)
    administration.set_permissions(made, Permissions(), by=None)

    page = auditor.get("/audit/", {"q": "Night"}).content.decode()

    assert "<del>Account permission: Manage Applications</del>" in page
    assert "<ins>Account permission: Manage Applications</ins>" in page
    assert page.index("<del>") < page.index("<ins>"), "the newest first"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "event 3"}, 1),
        ({"verb": Verb.KEY_REVOKED}, 2),
        ({"verb": "NONSENSE"}, 7),
        ({"who": "operator"}, 7),
        ({"who": "nobody"}, 0),
        ({"subject": "user group"}, 5),
        ({"since": "2026-01-01", "until": "2999-01-01"}, 7),
        ({"since": "2999-01-01"}, 0),
        ({"until": "2001-01-01"}, 0),
        ({"who": "operator", "q": "event 0"}, 2),
    ],
)
def test_filters_narrow_the_page_and_the_files_alike(
    auditor: Client, query: dict[str, str], found: int
) -> None:
    tell(5, subject=UserGroup.objects.get(name="Auditors"))
    tell(2, Verb.KEY_REVOKED)

    assert len(auditor.get("/audit/", query).context["page"].entries) == found
    lines = content(auditor.get("/audit/export.jsonl", query)).splitlines()
    assert len(lines) == found
    rows = list(csv.reader(io.StringIO(content(auditor.get("/audit/export.csv", query)))))
    assert len(rows) == found + 1


@pytest.mark.parametrize("written", ["yesterday", "2026-02-31", "9999-12-31", "1-1-1", "٣"])
def test_a_date_that_is_none_is_said_and_the_rest_still_filters(
    auditor: Client, written: str
) -> None:
    tell(2)
    answer = auditor.get("/audit/", {"since": written, "until": written, "q": "event 1"})
    assert answer.status_code == 200
    assert f"{written} is not a date" in answer.content.decode()
    assert len(answer.context["page"].entries) == 1


def test_pages_go_on_in_both_directions_and_miss_nothing(auditor: Client) -> None:
    tell(120)
    seen, query = [], "?who=operator"
    for _ in range(3):
        page = auditor.get(f"/audit/{query}").context["page"]
        seen += [entry.event.number for entry in page.entries]
        query = f"?who=operator&before={page.older}"
    assert seen == list(range(120, 0, -1))
    assert page.older is None
    back = auditor.get(f"/audit/?after={page.newer}").context["page"]
    assert [entry.event.number for entry in back.entries] == list(range(70, 20, -1))
    assert auditor.get("/audit/?before=x&after=-1").status_code == 200


def test_a_page_costs_the_same_however_much_is_on_it(auditor: Client) -> None:
    def cost() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            auditor.get("/audit/")
        return len(queries)

    tell(1)
    few = cost()
    tell(60, subject=UserGroup.objects.get(name="Auditors"))
    assert cost() == few <= 8


def test_no_cell_of_the_file_becomes_a_formula(auditor: Client) -> None:
    for text in ('=HYPERLINK("http://evil.example")', "+1", "-1", "@SUM(A1)", "\tx"):
        audit.record(Verb.REFUSED, actor=None, message=text)
    rows = csv.DictReader(io.StringIO(content(auditor.get("/audit/export.csv"))))
    messages = [row["message"] for row in rows]
    assert len(messages) == 5
    assert all(message.startswith("'") for message in messages)


def test_the_file_for_programs_is_all_there_is(auditor: Client) -> None:
    audit.record(Verb.REFUSED, actor=None, message="Ünïcode, =1", after={"a": [1]})
    answer = auditor.get("/audit/export.jsonl")
    [line] = content(answer).splitlines()
    event = AuditEvent.objects.get()
    assert json.loads(line) | {"at": ""} == {
        "number": 1,
        "at": "",
        "actor_name": "operator",
        "origin": "command line",
        "verb": "REFUSED",
        "subject_type": "",
        "subject_id": "",
        "subject": "",
        "before": None,
        "after": {"a": [1]},
        "message": "Ünïcode, =1",
        "seal": event.seal,
    }
    today = timezone.localdate().isoformat()
    assert answer["Content-Disposition"] == f'attachment; filename="lastgood-audit-{today}.jsonl"'


@pytest.mark.django_db(transaction=True)
async def _export(user: User) -> str:
    client = AsyncClient()
    await client.aforce_login(user)
    answer = await client.get("/audit/export.csv")
    parts = [part async for part in answer.streaming_content]  # type: ignore[attr-defined]
    return b"".join(parts).decode()


@pytest.mark.django_db(transaction=True)
def test_an_asynchronous_server_streams_the_same() -> None:
    from asgiref.sync import async_to_sync

    auditors = group("Auditors", account=[AccountPermission.VIEW_AUDITS])
    tell(3)
    text = async_to_sync(_export)(person("auditor", auditors))
    assert [row["number"] for row in csv.DictReader(io.StringIO(text))] == ["3", "2", "1"]


def test_an_unknown_kind_of_file_is_not_there(auditor: Client) -> None:
    assert auditor.get("/audit/export.xlsx").status_code == 404


def test_verifying_says_that_all_is_well_or_what_is_not(auditor: Client) -> None:
    tell(3)
    whole = auditor.post("/audit/verify/").content.decode()
    assert "The trail is whole" in whole
    assert AuditEvent.objects.first().seal in whole  # type: ignore[union-attr]

    AuditEvent.objects.filter(number=2).update(message="nothing happened")

    broken = auditor.post("/audit/verify/").content.decode()
    assert "Row 2 was changed or swapped" in broken
    assert auditor.get("/audit/verify/").status_code == 405


def test_rows_of_long_ago_are_found_by_their_day(auditor: Client) -> None:
    tell(2)
    then = timezone.now() - timedelta(days=400)
    AuditEvent.objects.filter(number=1).update(at=then)
    day = timezone.localdate(then).isoformat()
    page = auditor.get("/audit/", {"since": day, "until": day}).context["page"]
    assert [entry.event.number for entry in page.entries] == [1]
