"""What of the catalogue somebody may look at and edit in the admin, from the rows they hold.

One row must match on every dimension. A query and a question say the same twice: the query is for
lists, the question for what is not saved yet; a test holds them together.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

from django.db.models import Model, Q, QuerySet

from accounts import policy
from accounts.models import User
from accounts.needs import Need
from accounts.policy import Denied
from accounts.rows import Permissions, Place, Row, Scope
from accounts.vocabulary import Action, PermissionType
from dashboard.models import (
    Application,
    Artifact,
    Environment,
    EnvironmentType,
    Infrastructure,
    Service,
    Workflow,
)

NOTHING = Q(pk__in=[])
# Not Q(), which vanishes when it is joined by OR.
ANYTHING = ~NOTHING
# What is about to be added has no key yet; no row names it.
NEW = 0


@dataclass(frozen=True)
class RowNeed(Need):
    """An application permission; which things it is for is decided by the rows."""

    actions: frozenset[Action] = frozenset()

    @classmethod
    def any_of(cls, kind: PermissionType, *actions: Action) -> Self:
        words = " or ".join(action.label for action in actions)
        return cls(f"{kind.name}: {words}", None, f"{words} on {kind.label}", frozenset(actions))


KIND: dict[type[Model], PermissionType] = {
    Service: PermissionType.SERVICE,
    Artifact: PermissionType.SERVICE,
    Environment: PermissionType.ENV,
    Infrastructure: PermissionType.ENV,
    Workflow: PermissionType.WORKFLOW,
}


@dataclass(frozen=True)
class Editor:
    """Somebody's rows, each of a single type."""

    rows: tuple[Row, ...]

    @classmethod
    def of(cls, held: Permissions) -> Self:
        return cls(tuple(held.concrete()))

    def has_any(self, model: type[Model], actions: frozenset[Action]) -> bool:
        """Whether there may be anything of the kind that they may do this to."""
        return any(True for _ in self._rows(model, actions))

    def things(self, model: type[Any], *actions: Action) -> QuerySet[Any]:
        """What of the model they may do any of this to."""
        found = NOTHING
        for row in self._rows(model, frozenset(actions)):
            found |= _QUERIES[model](row)
        return QuerySet(model).filter(found)

    def applications(self, model: type[Model], action: Action) -> QuerySet[Application]:
        """Where they may do this to at least some things of the model: to choose from."""
        rows = list(self._rows(model, frozenset({action})))
        if any(row.applications is None for row in rows):
            return Application.objects.all()
        chosen = {pk for row in rows for pk in row.applications or ()}
        return Application.objects.filter(pk__in=chosen)

    def may(self, action: Action, thing: Model) -> bool:
        """Whether they may do this to a thing as it is now in memory, saved or not."""
        rows = self._rows(type(thing), frozenset({action}))
        return any(_QUESTIONS[type(thing)](row, thing) for row in rows)

    def require(self, action: Action, thing: Model) -> None:
        """Raise Denied with a sentence that names the missing permission."""
        if not self.may(action, thing):
            kind = KIND[type(thing)].label
            raise Denied(f"You need {action.label} on {kind} for {_where(thing)}.")

    def _rows(self, model: type[Model], actions: frozenset[Action]) -> Iterator[Row]:
        kind = KIND[model]
        return (row for row in self.rows if row.permission_type == kind and row.actions & actions)


def editor(actor: User) -> Editor:
    """What this person may edit, asked of the database now."""
    return Editor.of(policy.held_by(actor))


def _of_application(row: Row, path: str) -> Q:
    return ANYTHING if row.applications is None else Q(**{f"{path}__in": sorted(row.applications)})


def _services(row: Row, prefix: str = "") -> Q:
    named = Q(**{f"{prefix or 'pk'}__in": sorted(row.services)})
    things = ANYTHING if Scope.EVERYTHING in row.scopes else named
    return _of_application(row, _path(prefix, "application")) & things


def _in_environments(row: Row, prefix: str) -> Q:
    """The environments a row covers, seen from something that has one."""
    if Scope.EVERYTHING in row.scopes:
        return ANYTHING
    kinds = [
        kind
        for scope, kind in (
            (Scope.PRODUCTION, EnvironmentType.PRODUCTION),
            (Scope.NON_PRODUCTION, EnvironmentType.NON_PRODUCTION),
        )
        if scope in row.scopes
    ]
    by_kind = Q(**{f"{_path(prefix, 'environment_type')}__in": kinds})
    return by_kind | Q(**{f"{prefix or 'pk'}__in": sorted(row.environments)})


def _environments(row: Row, prefix: str = "") -> Q:
    path = _path(prefix, "application")
    return _of_application(row, path) & _in_environments(row, prefix)


def _workflows(row: Row) -> Q:
    things = _in_environments(row, "infrastructure__environment")
    if Scope.TEMPLATES in row.scopes:
        things |= Q(infrastructure=None)
    return _of_application(row, "application") & things


def _path(prefix: str, name: str) -> str:
    return f"{prefix}__{name}" if prefix else name


_QUERIES: dict[type[Model], Any] = {
    Service: _services,
    Artifact: lambda row: _services(row, "service"),
    Environment: _environments,
    Infrastructure: lambda row: _environments(row, "environment"),
    Workflow: _workflows,
}


def place(environment: Environment) -> Place:
    """Where it stands as it is now in memory."""
    return Place(environment.application_id, environment.is_production)


def _covers_service(row: Row, service: Service) -> bool:
    if row.applications is not None and service.application_id not in row.applications:
        return False
    return Scope.EVERYTHING in row.scopes or service.pk in row.services


def _covers_environment(row: Row, environment: Environment) -> bool:
    return row.covers(environment.pk or NEW, place(environment))


def _covers_workflow(row: Row, workflow: Workflow) -> bool:
    if row.applications is not None and workflow.application_id not in row.applications:
        return False
    if workflow.infrastructure is None:
        return bool(row.scopes & {Scope.EVERYTHING, Scope.TEMPLATES})
    return _covers_environment(row, workflow.infrastructure.environment)


_QUESTIONS: dict[type[Model], Any] = {
    Service: _covers_service,
    Artifact: lambda row, artifact: _covers_service(row, artifact.service),
    Environment: _covers_environment,
    Infrastructure: lambda row, each: _covers_environment(row, each.environment),
    Workflow: _covers_workflow,
}


def _where(thing: Any) -> str:
    """The place the permission would have to cover."""
    if isinstance(thing, Artifact):
        return str(thing.service)
    if isinstance(thing, Workflow):
        return str(thing.infrastructure or f"templates in {thing.application}")
    if isinstance(thing, Infrastructure):
        return str(thing.environment)
    if isinstance(thing, Environment):
        return f"{thing.get_environment_type_display().lower()} in {thing.application}"
    return str(thing.application)
