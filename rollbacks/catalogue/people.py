"""Writes the declared users and user groups: who may do what."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.hashers import make_password

from accounts import administration, audit, wording
from accounts.models import User, UserGroup
from accounts.rows import Permissions, Row, Scope
from accounts.vocabulary import AccountPermission, Verb
from dashboard.models import Application, Service
from rollbacks.catalogue.changes import FieldChange
from rollbacks.catalogue.declarations import (
    ApplicationEntry,
    PermissionRow,
    ServiceEntry,
    UserEntry,
    UserGroupEntry,
)
from rollbacks.catalogue.ledger import Ledger, environment_named
from rollbacks.catalogue.reading import Declared

SCOPES = {
    "ALL": Scope.EVERYTHING,
    "PRODUCTION": Scope.PRODUCTION,
    "NON_PRODUCTION": Scope.NON_PRODUCTION,
    "TEMPLATES": Scope.TEMPLATES,
}


def write_people(ledger: Ledger) -> None:
    """Write all of them; what is wrong is among the ledger's problems afterwards."""
    for user in ledger.catalogue.of(UserEntry):
        _user(ledger, user)
    for group in ledger.catalogue.of(UserGroupEntry):
        _group(ledger, group)


def _user(ledger: Ledger, declared: Declared[UserEntry]) -> None:
    values = declared.entry.stated("first_name", "last_name", "email")
    key = {"username": declared.entry.username}
    before = User.people.filter(**key).first()
    user = ledger.put(declared, User.people.all(), key, values, password=make_password(None))
    if before is None:
        audit.record(Verb.USER_CREATED, actor=ledger.actor, subject=user, after=key | values)
        return
    old = {name: getattr(before, name) for name in values}
    if old != values:
        audit.record(Verb.USER_CHANGED, actor=ledger.actor, subject=user, before=old, after=values)


def _group(ledger: Ledger, declared: Declared[UserGroupEntry]) -> None:
    entry = declared.entry
    members = _members(ledger, declared)
    before = len(ledger.problems)
    rows = [_row(ledger, declared, index) for index in range(len(entry.app_permissions))]
    if members is None or len(ledger.problems) > before:
        return
    existing = UserGroup.objects.filter(name=entry.name).first()
    held = existing.permissions_held if existing else Permissions()
    wanted = _wanted(entry, held, rows)
    edits = [
        *_edit("account_permissions", _values(held.account), _values(wanted.account)),
        *_edit("app_permissions", _shown(held.rows), _shown(wanted.rows)),
    ]
    if "members" in entry.model_fields_set:
        edits += _edit("members", existing and member_names(existing), sorted(set(entry.members)))
    values = entry.stated("description")
    group = ledger.put(declared, UserGroup.objects.all(), {"name": entry.name}, values, edits)
    if existing is None:
        audit.record(Verb.GROUP_CREATED, actor=ledger.actor, subject=group, after=values)
    try:
        administration.set_permissions(group, wanted, by=None)
        if "members" in entry.model_fields_set:
            administration.set_members(group, members, by=None)
    except administration.Invalid as error:
        for place, sentence in error.problems:
            ledger.refuse(declared, place.replace("rows.", "app_permissions."), sentence)
    except administration.LastAdministrator as error:
        ledger.refuse(declared, "", str(error))


def _wanted(entry: UserGroupEntry, held: Permissions, rows: list[Row]) -> Permissions:
    """What is not written stays as it is."""
    account, stated = frozenset(entry.account_permissions), entry.model_fields_set
    return Permissions(
        account if "account_permissions" in stated else held.account,
        tuple(rows) if "app_permissions" in stated else held.rows,
    )


def _values(account: Iterable[AccountPermission]) -> list[str]:
    return sorted(each.value for each in account)


def _edit(name: str, old: Any, new: Any) -> list[FieldChange]:
    return [FieldChange(name, old, new)] if (old or []) != new else []


def member_names(group: UserGroup) -> list[str]:
    """The usernames of the group's members in their order."""
    return sorted(User.people.filter(groups=group).values_list("username", flat=True))


def _members(ledger: Ledger, declared: Declared[UserGroupEntry]) -> list[User] | None:
    found = []
    for index, name in enumerate(declared.entry.members):
        named = User.people.filter(username=name)
        user = ledger.find(declared, f"members.{index}", named, (UserEntry, name))
        found += [user] if user else []
    return found if len(found) == len(declared.entry.members) else None


def _row(ledger: Ledger, declared: Declared[UserGroupEntry], index: int) -> Row:
    """What the row says; names of things that are not there are noted as problems."""
    row = declared.entry.app_permissions[index]
    place = f"app_permissions.{index}"
    scopes, environments = _environments(ledger, declared, row, place)
    return Row(
        row.type,
        frozenset(row.actions),
        _applications(ledger, declared, row, place),
        scopes,
        environments,
        _services(ledger, declared, row, place),
    )


def _applications(
    ledger: Ledger, declared: Declared[UserGroupEntry], row: PermissionRow, place: str
) -> frozenset[int] | None:
    if row.applications == "ALL":
        return None
    found = [
        ledger.find(
            declared,
            f"{place}.applications.{number}",
            Application.objects.filter(name=name),
            (ApplicationEntry, name),
        )
        for number, name in enumerate(row.applications)
    ]
    return frozenset(each.pk for each in found if each)


def _environments(
    ledger: Ledger, declared: Declared[UserGroupEntry], row: PermissionRow, place: str
) -> tuple[frozenset[Scope], frozenset[int]]:
    """Types of environments, and environments by their full names."""
    if row.is_everything:
        return frozenset({Scope.EVERYTHING}), frozenset()
    scopes, named = set(), set()
    for number, written in enumerate(row.environments):
        word = written.strip().upper().replace("-", "_")
        if word in SCOPES:
            scopes.add(SCOPES[word])
            continue
        field = f"{place}.environments.{number}"
        environment = environment_named(ledger, declared, field, written)
        if environment is None:
            continue
        application = environment.application.name
        if row.applications != "ALL" and application not in row.applications:
            what = f"{application} is not among the row's applications, so this would match nothing"
            ledger.refuse(declared, field, what)
        named.add(environment.pk)
    return frozenset(scopes), frozenset(named)


def _services(
    ledger: Ledger, declared: Declared[UserGroupEntry], row: PermissionRow, place: str
) -> frozenset[int]:
    found = set()
    for number, written in enumerate(row.services):
        application, _, name = (part.strip() for part in written.partition("/"))
        named = Service.objects.filter(application__name=application, name=name)
        label = f"{application} / {name}"
        service = ledger.find(declared, f"{place}.services.{number}", named, (ServiceEntry, label))
        found |= {service.pk} if service else set()
    return frozenset(found)


def _shown(rows: Iterable[Row]) -> list[str]:
    rows = list(rows)
    names = wording.Names.of(rows)
    return sorted(wording.sentence(row, names) for row in rows)
