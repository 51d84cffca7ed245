"""Audit events as people read them: what was taken away, and what came instead."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from accounts.models import AuditEvent
from accounts.vocabulary import AccountPermission

WORDS = {
    "account": "Account permission",
    "app": "Application permission",
    "members": "Member",
    "groups": "User group",
    "name": "Name",
    "description": "Description",
    "username": "Username",
    "first_name": "First name",
    "last_name": "Last name",
    "email": "E-mail address",
    "expires_at": "Expires",
}
LABELS: dict[str, str] = {each.value: each.label for each in AccountPermission}


@dataclass(frozen=True)
class Entry:
    """One event with its differences."""

    event: AuditEvent
    removed: tuple[str, ...]
    added: tuple[str, ...]


def entries(events: Iterable[AuditEvent]) -> list[Entry]:
    """The events with what each took away and added, in lines."""
    return [entry(event) for event in events]


def entry(event: AuditEvent) -> Entry:
    before, after = list(lines(event.before)), list(lines(event.after))
    return Entry(
        event,
        tuple(line for line in before if line not in after),
        tuple(line for line in after if line not in before),
    )


def lines(data: Any, name: str = "") -> Iterator[str]:
    """Everything the data of an event says, one line for each value."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from lines(value, WORDS.get(str(key), str(key)))
    elif isinstance(data, list):
        for value in data:
            yield from lines(value, name)
    elif data not in {None, ""}:
        said = LABELS.get(str(data), str(data))
        yield f"{name}: {said}" if name else said
