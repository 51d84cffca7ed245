"""The audit trail as a file: CSV for spreadsheets, JSON lines for programs; streamed."""

import csv
import io
import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from asgiref.sync import sync_to_async
from django.db.models import QuerySet

from accounts.models import AuditEvent
from accounts.trail import in_chunks

FIELDS = (
    "number", "at", "actor_name", "origin", "verb", "subject_type", "subject_id", "subject",
    "before", "after", "message", "seal",
)  # fmt: skip
# Spreadsheets take a cell that begins so for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def _values(event: AuditEvent) -> dict[str, Any]:
    return {name: getattr(event, name) for name in FIELDS} | {"at": event.at.isoformat()}


def as_json(events: QuerySet[AuditEvent]) -> Iterator[str]:
    """A JSON object a line."""
    for rows in in_chunks(events):
        yield "".join(json.dumps(_values(event)) + "\n" for event in rows)


def as_csv(events: QuerySet[AuditEvent]) -> Iterator[str]:
    """A heading and a row for each; no cell can become a formula."""
    yield _lines([FIELDS])
    for rows in in_chunks(events):
        yield _lines([[_cell(value) for value in _values(event).values()] for event in rows])


def _lines(rows: Any) -> str:
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value)
    return f"'{text}" if text.startswith(FORMULA) else text


FORMATS: dict[str, tuple[Callable[[QuerySet[AuditEvent]], Iterator[str]], str]] = {
    "csv": (as_csv, "text/csv; charset=utf-8"),
    "jsonl": (as_json, "application/x-ndjson"),
}


async def without_blocking(parts: Iterator[str]) -> AsyncIterator[str]:
    """For an asynchronous server: each part is made in the thread that may use the database."""
    following = sync_to_async(lambda: next(parts, None))
    while (part := await following()) is not None:
        yield part
