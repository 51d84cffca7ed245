"""The audit trail: who did what, from where; added to in the caller's transaction, never edited.

Each row is sealed with a keyed hash over itself and the seal before it, so that `verify` finds one
that was edited, removed or swapped. Whoever adds a row holds the head until the transaction ends:
locks are taken in the order target, head.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import transaction
from django.db.models import Model
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.models import AuditEvent, AuditHead, User
from accounts.vocabulary import Verb

HEAD = 1


@dataclass(frozen=True)
class Origin:
    """From where something is asked, and by whom where that is known without being told."""

    place: str
    actor: User | None = None


COMMAND_LINE = Origin("command line")
_origin: ContextVar[Origin] = ContextVar("origin", default=COMMAND_LINE)
_attempting: ContextVar[bool] = ContextVar("attempting", default=False)


@contextmanager
def coming_from(origin: Origin) -> Iterator[None]:
    """Everything recorded inside comes from there."""
    token = _origin.set(origin)
    try:
        yield
    finally:
        _origin.reset(token)


def origin() -> Origin:
    """Where the current request or command comes from."""
    return _origin.get()


def lock() -> AuditHead:
    """Take the trail's end until the transaction ends; changes of permissions queue up here."""
    head: AuditHead = _lock(apps)
    return head


def _lock(registry: Any) -> Any:
    heads = registry.get_model("accounts", "AuditHead").objects
    head = heads.select_for_update().filter(pk=HEAD).first()
    if head is None:
        heads.get_or_create(pk=HEAD)
        head = heads.select_for_update().get(pk=HEAD)
    return head


def record(
    verb: Verb,
    *,
    actor: User | None,
    subject: Model | None = None,
    before: Any = None,
    after: Any = None,
    message: str = "",
) -> None:
    """Add one row, in the caller's transaction. `before` and `after` are JSON, free of secrets.

    Without an actor it was whoever may run commands on the server.
    """
    append(
        apps,
        verb=verb,
        actor_id=actor.pk if actor else None,
        actor_name=actor.label[:200] if actor else "operator",
        origin=origin().place[:120],
        subject_type=str(subject._meta.verbose_name) if subject is not None else "",
        subject_id=str(subject.pk) if subject is not None and subject.pk else "",
        subject=str(subject)[:300] if subject is not None else "",
        before=before,
        after=after,
        message=message,
    )


def append(registry: Any, **fields: Any) -> None:
    """Add a row with the models of this registry: migrations have their own."""
    with transaction.atomic():
        head = _lock(registry)
        event = registry.get_model("accounts", "AuditEvent")(
            number=head.number + 1, at=timezone.now(), **fields
        )
        event.seal = seal(event, head.seal)
        event.save()
        head.number, head.seal = event.number, event.seal
        head.save()


@contextmanager
def attempt(
    actor: User, asked: str, subject: Model | None, *refusals: type[Exception]
) -> Iterator[None]:
    """Record it when what is attempted inside is refused by one of these exceptions.

    To be used outside the transaction of the attempt, which a refusal rolls back. Of attempts
    within attempts the outermost records: the transactions of the others are gone with it.
    """
    is_outermost = not _attempting.get()
    token = _attempting.set(True)
    try:
        yield
    except refusals as refusal:
        if is_outermost:
            record_refusal(actor, asked, subject, refusal)
        raise
    finally:
        _attempting.reset(token)


def record_refusal(actor: User, asked: str, subject: Model | None, refusal: Exception) -> None:
    """Record it, unless it was recorded where it came from."""
    if not getattr(refusal, "is_recorded", False):
        record(Verb.REFUSED, actor=actor, subject=subject, message=f"{asked}: {refusal}")
        refusal.is_recorded = True  # type: ignore[attr-defined]


def seal(event: AuditEvent, previous: str) -> str:
    """The keyed hash of the row and the seal before it, as 64 hexadecimal digits."""
    content = [
        previous,
        event.number,
        event.at.astimezone(UTC).isoformat(),
        event.actor_id,
        event.actor_name,
        event.origin,
        event.verb,
        event.subject_type,
        event.subject_id,
        event.subject,
        event.before,
        event.after,
        event.message,
    ]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return salted_hmac(
        "accounts.audit", text, secret=settings.AUDIT_KEY, algorithm="sha256"
    ).hexdigest()


def end() -> AuditHead:
    """The number and the seal of the newest row."""
    return AuditHead.objects.filter(pk=HEAD).first() or AuditHead(pk=HEAD)


def faults() -> Iterator[str]:
    """A sentence for every place where the trail is not what was recorded; none if it is whole."""
    expected, previous = 1, ""
    for event in AuditEvent.objects.order_by("number").iterator():
        if event.number != expected:
            gone = event.number - 1
            rows = f"row {gone} is" if gone == expected else f"rows {expected} to {gone} are"
            yield f"{rows.capitalize()} missing."
        elif not constant_time_compare(event.seal, seal(event, previous)):
            yield f"Row {event.number} was changed or swapped: its seal does not fit."
        expected, previous = event.number + 1, event.seal
    head = end()
    if head.number != expected - 1:
        yield f"The trail ends at row {expected - 1}, but {head.number} rows were recorded."
    elif not constant_time_compare(head.seal, previous):
        yield "The end of the trail does not fit its last row."
