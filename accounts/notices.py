"""Tells administrators which groups the upgrade gave Rollback Workflow, until they have read it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts import audit, policy
from accounts.models import AuditEvent, User, UserGroup
from accounts.vocabulary import AccountPermission, Verb

READ = AccountPermission.READ_USERS_AND_GROUPS


@dataclass(frozen=True)
class Notice:
    at: datetime
    groups: list[tuple[str, int | None]]
    """Their names at that time, and their ids if they are still there."""


def unread(user: Any) -> Notice | None:
    """What this person has not said they read; only for who may see user groups."""
    if not isinstance(user, User) or not policy.holds(user, READ):
        return None
    added = AuditEvent.objects.filter(verb=Verb.ROLLBACK_ADDED)
    taken = AuditEvent.objects.filter(verb=Verb.ROLLBACK_TAKEN_BACK).first()
    newest = added.first()
    if newest is None or (taken and taken.number > newest.number):
        return None
    read = AuditEvent.objects.filter(verb=Verb.NOTICE_READ, actor=user, number__gt=newest.number)
    if read.exists():
        return None
    events = added.filter(number__gt=taken.number if taken else 0).order_by("subject")
    there = {str(pk) for pk in UserGroup.objects.values_list("pk", flat=True)}
    groups = [
        (each.subject, int(each.subject_id) if each.subject_id in there else None)
        for each in events
    ]
    return Notice(newest.at, groups)


def mark_read(user: Any) -> None:
    """Not shown to this person again; no more than one row for it."""
    if unread(user):
        audit.record(Verb.NOTICE_READ, actor=user, message="Rollback Workflow added by the upgrade")
