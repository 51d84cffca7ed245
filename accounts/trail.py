"""The audit trail as people read it: found by filters, page by page, with what each row changed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Self

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_date

from accounts.models import AuditEvent
from accounts.vocabulary import AccountPermission, Verb

PAGE = 50
CHUNK = 1_000
SHORT = 6

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

    @property
    def is_short(self) -> bool:
        return len(self.removed) + len(self.added) <= SHORT


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


@dataclass(frozen=True)
class Filters:
    """What the page was asked for; what makes no sense is left out, and said in `problems`."""

    text: str = ""
    who: str = ""
    verb: str = ""
    subject: str = ""
    since: date | None = None
    until: date | None = None
    before: int | None = None
    after: int | None = None
    problems: Sequence[str] = field(default=(), compare=False)

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Self:
        """From an address; raises nothing."""
        problems: list[str] = []
        verb = query.get("verb", "")
        return cls(
            query.get("q", "").strip()[:100],
            query.get("who", "").strip()[:100],
            verb if verb in Verb.values else "",
            query.get("subject", "").strip()[:40],
            _date(query, "since", problems),
            _date(query, "until", problems),
            _number(query.get("before", "")),
            _number(query.get("after", "")),
            problems,
        )

    @property
    def is_narrow(self) -> bool:
        return any((self.text, self.who, self.verb, self.subject, self.since, self.until))

    def found(self) -> QuerySet[AuditEvent]:
        """The rows that match, the newest first."""
        rows = AuditEvent.objects.order_by("-number")
        if self.text:
            rows = rows.filter(Q(subject__icontains=self.text) | Q(message__icontains=self.text))
        if self.who:
            by_name = Q(actor_name__icontains=self.who) | Q(actor__username__icontains=self.who)
            rows = rows.filter(by_name | Q(origin__icontains=self.who))
        if self.verb:
            rows = rows.filter(verb=self.verb)
        if self.subject:
            rows = rows.filter(subject_type=self.subject)
        if self.since:
            rows = rows.filter(at__gte=_midnight(self.since))
        if self.until:
            rows = rows.filter(at__lt=_midnight(self.until + timedelta(days=1)))
        return rows


def _date(query: Mapping[str, str], name: str, problems: list[str]) -> date | None:
    written = query.get(name, "").strip()
    try:
        found = parse_date(written) if written else None
    except ValueError:
        found = None
    if written and (found is None or found.year > 9000):
        problems.append(f"{written[:20]} is not a date: write it as 2026-01-31.")
        return None
    return found


def _number(written: str) -> int | None:
    return int(written) if written.isascii() and written.isdigit() and len(written) < 18 else None


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


@dataclass(frozen=True)
class Page:
    """Some rows, and where the list goes on: numbers to ask for, none at its ends."""

    entries: Sequence[Entry]
    older: int | None
    newer: int | None


def page(filters: Filters) -> Page:
    """By number, so that a page costs the same however long the trail is."""
    found = filters.found()
    if filters.after:
        rows = list(found.filter(number__gt=filters.after).order_by("number")[: PAGE + 1])
        has_newer, has_older = len(rows) > PAGE, True
        rows = rows[PAGE - 1 :: -1] if has_newer else rows[::-1]
    else:
        rows = list(
            (found.filter(number__lt=filters.before) if filters.before else found)[: PAGE + 1]
        )
        has_newer, has_older = bool(filters.before), len(rows) > PAGE
        rows = rows[:PAGE]
    return Page(
        entries(rows),
        rows[-1].number if rows and has_older else None,
        rows[0].number if rows and has_newer else None,
    )


def subjects() -> list[str]:
    """What rows are about, to choose from."""
    kinds = AuditEvent.objects.exclude(subject_type="").order_by("subject_type")
    return list(kinds.values_list("subject_type", flat=True).distinct())


def in_chunks(found: QuerySet[AuditEvent]) -> Iterator[list[AuditEvent]]:
    """All of them, the newest first, never many in memory."""
    last: int | None = None
    while rows := list((found if last is None else found.filter(number__lt=last))[:CHUNK]):
        yield rows
        last = rows[-1].number
