"""Says permissions in words, with the names of what they are about: for pages and audit rows."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.apps import apps

from accounts.rows import Permissions, Row, Scope
from accounts.vocabulary import CRUD, AccountPermission, Action, PermissionType

SCOPES = {
    Scope.EVERYTHING: "all",
    Scope.PRODUCTION: "production",
    Scope.NON_PRODUCTION: "non-production",
    Scope.TEMPLATES: "templates",
}


@dataclass(frozen=True)
class Names:
    """The names of what rows name by id; fetched once for any number of rows."""

    applications: Mapping[int, str]
    environments: Mapping[int, str]
    services: Mapping[int, str]

    @classmethod
    def of(cls, rows: Iterable[Row]) -> "Names":
        rows = list(rows)
        return cls(
            _named("Application", {pk for row in rows for pk in row.applications or ()}),
            _named("Environment", {pk for row in rows for pk in row.environments}),
            _named("Service", {pk for row in rows for pk in row.services}),
        )


def _named(model: str, pks: Collection[int]) -> dict[int, str]:
    if not pks:
        return {}
    found = apps.get_model("dashboard", model).objects.filter(pk__in=pks)
    if model != "Application":
        found = found.select_related("application")
    return {each.pk: str(each) for each in found}


def sentence(row: Row, names: Names) -> str:
    """The row in one line."""
    actions = ", ".join(action.label for action in Action if action in row.actions)
    return f"{actions} · {_things(row, names)} · {_applications(row, names)}"


def _applications(row: Row, names: Names) -> str:
    if row.applications is None:
        return "all applications"
    return _listed(row.applications, names.applications) or "no application"


def _things(row: Row, names: Names) -> str:
    kind = row.permission_type
    chosen = [word for scope, word in SCOPES.items() if scope in row.scopes]
    named = [
        _listed(row.environments, names.environments),
        _listed(row.services, names.services),
    ]
    which = ", ".join([*chosen, *(each for each in named if each)]) or "none"
    if kind != PermissionType.ALL:
        return f"{kind.label}: {which}"
    if Scope.EVERYTHING in row.scopes or row.actions <= CRUD:
        return kind.label
    return f"{kind.label}, deployments: {which}"


def _listed(pks: Iterable[int], names: Mapping[int, str]) -> str:
    return ", ".join(sorted(names[pk] for pk in pks if pk in names))


def as_data(permissions: Permissions) -> dict[str, Any]:
    """For the audit trail: values and sentences, in an order that does not change."""
    names = Names.of(permissions.rows)
    return {
        "account": sorted(each.value for each in permissions.account),
        "app": sorted(sentence(row, names) for row in permissions.rows),
    }


def account_labels(account: Iterable[AccountPermission]) -> list[str]:
    """The words for people, in the order of the vocabulary."""
    chosen = set(account)
    return [each.label for each in AccountPermission if each in chosen]
