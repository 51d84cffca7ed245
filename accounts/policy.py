"""The one place that answers "may this actor…" and "which … may this actor…".

Rows of AppPermission are materialised into object permissions here, in the caller's transaction.
An inactive user may nothing; a superuser (break-glass, see docs/decisions) may everything.
"""

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Permission
from django.db import transaction
from django.db.models import Model, QuerySet

from accounts.models import ApplicationGrant, AppPermission, EnvironmentGrant, User, UserGroup
from accounts.vocabulary import RIGHTS_OF_ACTION, AccountPermission, PermissionType, Right

VIEW_APPLICATION = "view_application"


class Denied(Exception):
    """The actor may see the object but not do this to it; the message says what is missing."""


def holds(actor: User, permission: AccountPermission) -> bool:
    """Whether any of the actor's groups has the account permission."""
    if not actor.is_active:
        return False
    if actor.is_superuser:
        return True
    # JSON containment is not portable to SQLite; a user's groups are few.
    lists = UserGroup.objects.filter(user=actor).values_list("account_permissions", flat=True)
    return any(permission.value in permissions for permissions in lists)


def environment_ids(actor: User, right: Right) -> QuerySet[Any, Any]:
    """The environments in which the actor has the right, as a subquery of ids."""
    environments = apps.get_model("dashboard", "Environment").objects.all()
    return _granted(actor, EnvironmentGrant, right.value, environments)


def application_ids(actor: User) -> QuerySet[Any, Any]:
    """The applications the actor may see, as a subquery of ids."""
    applications = apps.get_model("dashboard", "Application").objects.all()
    return _granted(actor, ApplicationGrant, VIEW_APPLICATION, applications)


def may(actor: User, right: Right, environment: Model) -> bool:
    """Whether the actor has the right in this environment, asked of the database now."""
    return bool(environment_ids(actor, right).filter(pk=environment.pk).exists())


def may_roll_back(actor: User, environment: Model) -> bool:
    """Manage Applications and Rollback Workflow, possibly from two groups (acceptance A20-A22)."""
    return holds(actor, AccountPermission.MANAGE_APPLICATIONS) and may(
        actor, Right.ROLLBACK_WORKFLOW, environment
    )


def require(allowed: bool, what: str) -> None:
    """Raise Denied with a sentence that names the missing permission."""
    if not allowed:
        raise Denied(f"You need {what}. Ask an administrator of your user groups.")


def _granted(
    actor: User,
    grants: type[EnvironmentGrant] | type[ApplicationGrant],
    codename: str,
    everything: QuerySet[Any, Any],
) -> QuerySet[Any, Any]:
    if not actor.is_active:
        return everything.none().values("pk")
    if actor.is_superuser:
        return everything.values("pk")
    rows = grants.objects.filter(permission__codename=codename, group__user=actor)
    return everything.filter(pk__in=rows.values("content_object_id")).values("pk")


@transaction.atomic
def materialise(*, group: UserGroup | None = None, application: Model | None = None) -> None:
    """Make object permissions from rows again: of one group, in one application, or all of them."""
    groups = [group] if group else list(UserGroup.objects.all())
    environments = apps.get_model("dashboard", "Environment").objects.all()
    applications = apps.get_model("dashboard", "Application").objects.all()
    if application:
        environments = environments.filter(application=application)
        applications = applications.filter(pk=application.pk)
    codenames = [right.value for right in Right] + [VIEW_APPLICATION]
    permissions = {
        permission.codename: permission
        for permission in Permission.objects.filter(
            content_type__app_label="dashboard", codename__in=codenames
        )
    }
    for each in groups:
        wanted_environments, wanted_applications = _wanted(each, environments, applications)
        _replace(EnvironmentGrant, each, wanted_environments, environments, permissions)
        _replace(ApplicationGrant, each, wanted_applications, applications, permissions)


def _wanted(
    group: UserGroup, environments: Iterable[Any], applications: Iterable[Any]
) -> tuple[set[tuple[int, str]], set[tuple[int, str]]]:
    wanted: set[tuple[int, str]] = set()
    visible: set[tuple[int, str]] = set()
    for row in group.app_permissions.prefetch_related("applications", "environments"):
        chosen = {application.pk for application in row.applications.all()}
        visible |= {
            (application.pk, VIEW_APPLICATION)
            for application in applications
            if row.all_applications or application.pk in chosen
        }
        for environment in environments:
            if (row.all_applications or environment.application_id in chosen) and _covers(
                row, environment
            ):
                rights = {r for a in row.granted for r in RIGHTS_OF_ACTION.get(a, ())}
                wanted |= {(environment.pk, right.value) for right in rights}
    return wanted, visible


def _covers(row: AppPermission, environment: Any) -> bool:
    if row.permission_type not in {PermissionType.ALL, PermissionType.DEPLOYMENT}:
        return False
    # Nothing ticked is nothing covered: a row must not widen when what it chose is deleted.
    chosen = {each.pk for each in row.environments.all()}
    by_type = row.production if environment.is_production else row.non_production
    return bool(by_type or environment.pk in chosen)


def _replace(
    grants: type[EnvironmentGrant] | type[ApplicationGrant],
    group: UserGroup,
    wanted: set[tuple[int, str]],
    within: QuerySet[Any, Any],
    permissions: dict[str, Permission],
) -> None:
    rows = grants.objects.filter(group=group, content_object__in=within).select_related(
        "permission"
    )
    found = {(row.content_object_id, row.permission.codename): row.pk for row in rows}
    grants.objects.filter(pk__in=[found[key] for key in found.keys() - wanted]).delete()
    grants.objects.bulk_create(
        grants(group=group, content_object_id=pk, permission=permissions[codename])
        for pk, codename in sorted(wanted - found.keys())
    )
