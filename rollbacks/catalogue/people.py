"""Writes the declared users and user groups: who may do what."""

from typing import Any

from django.contrib.auth.hashers import make_password

from accounts import policy
from accounts.models import AppPermission, User, UserGroup
from dashboard.models import Application, Environment, EnvironmentType
from rollbacks.catalogue.changes import FieldChange
from rollbacks.catalogue.declarations import (
    ApplicationEntry,
    PermissionRow,
    UserEntry,
    UserGroupEntry,
)
from rollbacks.catalogue.ledger import Ledger, environment_named
from rollbacks.catalogue.reading import Declared


def write_people(ledger: Ledger) -> None:
    """Write all of them; what is wrong is among the ledger's problems afterwards."""
    for user in ledger.catalogue.of(UserEntry):
        values = user.entry.stated("first_name", "last_name", "email")
        key = {"username": user.entry.username}
        ledger.put(user, User.objects.all(), key, values, password=make_password(None))
    for group in ledger.catalogue.of(UserGroupEntry):
        _group(ledger, group)


def _group(ledger: Ledger, declared: Declared[UserGroupEntry]) -> None:
    entry = declared.entry
    members = _members(ledger, declared)
    before = len(ledger.problems)
    rows = [_row(ledger, declared, index) for index in range(len(entry.app_permissions))]
    if members is None or len(ledger.problems) > before:
        return
    values = entry.stated("description")
    if "account_permissions" in entry.model_fields_set:
        values["account_permissions"] = sorted({each.value for each in entry.account_permissions})
    existing = UserGroup.objects.filter(name=entry.name).first()
    edits = []
    if "members" in entry.model_fields_set:
        edits += _edit("members", existing and member_names(existing), sorted(set(entry.members)))
    if "app_permissions" in entry.model_fields_set:
        edits += _edit("app_permissions", existing and _shown_rows(existing), _in_order(rows))
    group = ledger.put(declared, UserGroup.objects.all(), {"name": entry.name}, values, edits)
    changed = {edit.name for edit in edits}
    if "members" in changed:
        group.user_set.set(members)
    if "app_permissions" in changed:
        _replace_rows(group, rows)


def _edit(name: str, old: Any, new: Any) -> list[FieldChange]:
    return [FieldChange(name, old, new)] if (old or []) != new else []


def member_names(group: UserGroup) -> list[str]:
    """The usernames of the group's members in their order."""
    return sorted(group.user_set.values_list("username", flat=True))


def _members(ledger: Ledger, declared: Declared[UserGroupEntry]) -> list[User] | None:
    found = []
    for index, name in enumerate(declared.entry.members):
        named = User.objects.filter(username=name)
        user = ledger.find(declared, f"members.{index}", named, (UserEntry, name))
        found += [user] if user else []
    return found if len(found) == len(declared.entry.members) else None


def _row(ledger: Ledger, declared: Declared[UserGroupEntry], index: int) -> dict[str, Any]:
    """The row as it is compared and shown; what it names is checked on the way."""
    row = declared.entry.app_permissions[index]
    place = f"app_permissions.{index}"
    if row.applications != "ALL":
        for number, name in enumerate(row.applications):
            named = Application.objects.filter(name=name)
            field = f"{place}.applications.{number}"
            ledger.find(declared, field, named, (ApplicationEntry, name))
    environments = []
    for number, written in enumerate(row.environments):
        field = f"{place}.environments.{number}"
        environments.append(_environment(ledger, declared, row, field, written))
    return _shown_row(row.type, row.actions, row.applications, environments)


def _environment(
    ledger: Ledger,
    declared: Declared[UserGroupEntry],
    row: PermissionRow,
    field: str,
    written: str,
) -> str:
    """A type of environment, or the full name of one of a row's applications."""
    by_type = written.strip().upper().replace("-", "_")
    if by_type in EnvironmentType.values:
        return by_type
    environment = environment_named(ledger, declared, field, written)
    if environment is None:
        return written
    application = environment.application.name
    if row.applications != "ALL" and application not in row.applications:
        what = f"{application} is not among the row's applications, so this would match nothing"
        ledger.refuse(declared, field, what)
    return str(environment)


def _shown_row(
    permission_type: str, actions: Any, applications: Any, environments: list[str]
) -> dict[str, Any]:
    return {
        "type": str(permission_type),
        "actions": sorted({str(action) for action in actions}),
        "applications": "ALL" if applications == "ALL" else sorted(set(applications)),
        "environments": sorted(set(environments)),
    }


def _in_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=str)


def _shown_rows(group: UserGroup) -> list[dict[str, Any]]:
    rows = group.app_permissions.prefetch_related("applications", "environments__application")
    shown = []
    for row in rows:
        environments = [str(each) for each in row.environments.all()]
        environments += [EnvironmentType.PRODUCTION.value] if row.production else []
        environments += [EnvironmentType.NON_PRODUCTION.value] if row.non_production else []
        names = [each.name for each in row.applications.all()]
        applications = "ALL" if row.all_applications else names
        shown.append(_shown_row(row.permission_type, row.actions, applications, environments))
    return _in_order(shown)


def _replace_rows(group: UserGroup, rows: list[dict[str, Any]]) -> None:
    group.app_permissions.all().delete()
    for row in rows:
        is_all, environments = row["applications"] == "ALL", row["environments"]
        made = AppPermission.objects.create(
            user_group=group,
            permission_type=row["type"],
            actions=row["actions"],
            all_applications=is_all,
            production=EnvironmentType.PRODUCTION.value in environments,
            non_production=EnvironmentType.NON_PRODUCTION.value in environments,
        )
        if not is_all:
            made.applications.set(Application.objects.filter(name__in=row["applications"]))
        named = [each.split(" / ") for each in environments if " / " in each]
        made.environments.set(
            environment
            for application, name in named
            for environment in Environment.objects.filter(application__name=application, name=name)
        )
    policy.materialise(group=group)
