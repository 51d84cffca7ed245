"""The one place that answers "may this actor…" and "which … may this actor…".

Pages ask the object permissions that `accounts.grants` makes from the rows: one query however many
environments, groups or rows there are. An inactive user may nothing; a superuser (break-glass, see
docs/decisions) may everything.
"""

from typing import Any

from django.contrib.auth.models import Permission
from django.db.models import Model, QuerySet

from accounts.grants import VIEW_APPLICATION
from accounts.models import ApplicationGrant, EnvironmentGrant, User, UserGroup
from accounts.rows import Permissions, Row, Scope, total
from accounts.vocabulary import AccountPermission, Action, PermissionType, Right

Grants = EnvironmentGrant | ApplicationGrant
EVERYTHING = Permissions(
    frozenset(AccountPermission),
    (Row(PermissionType.ALL, frozenset(Action), None, frozenset({Scope.EVERYTHING})),),
)


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


def words_of(actor: User) -> frozenset[str]:
    """Every account permission and action the actor has for anything at all, in one query.

    Enough to decide which doors to show; what is behind them asks again, and exactly.
    """
    if not actor.is_active:
        return frozenset()
    if actor.is_superuser:
        return frozenset([*AccountPermission.values, *Action.values])
    pairs = UserGroup.objects.filter(user=actor).values_list(
        "account_permissions", "app_permissions__actions"
    )
    return frozenset(word for account, actions in pairs for word in [*account, *(actions or ())])


def held_by(actor: User) -> Permissions:
    """Everything the actor may do, as rows: for giving on, and for what is edited."""
    if not actor.is_active:
        return Permissions()
    return held_if_active(actor)


def held_if_active(user: User) -> Permissions:
    """What the user's groups give, also while the user is deactivated."""
    if user.is_superuser:
        return EVERYTHING
    groups = UserGroup.objects.filter(user=user).with_choices()
    return total(group.permissions_held for group in groups)


def environment_ids(actor: User, right: Right) -> QuerySet[Any, Any]:
    """The environments in which the actor has the right: to be used with `__in`."""
    return _granted(actor, EnvironmentGrant, right.value)


def application_ids(actor: User) -> QuerySet[Any, Any]:
    """The applications the actor may see: to be used with `__in`."""
    return _granted(actor, ApplicationGrant, VIEW_APPLICATION)


def may(actor: User, right: Right, environment: Model) -> bool:
    """Whether the actor has the right in this environment, asked of the database now."""
    if not actor.is_active or actor.is_superuser:
        return actor.is_active
    rows = _grants_of(actor, EnvironmentGrant, right.value)
    return rows.filter(content_object=environment.pk).exists()


def may_roll_back(actor: User, environment: Model) -> bool:
    """Manage Applications and Rollback Workflow, possibly from two groups (acceptance A20-A22)."""
    return holds(actor, AccountPermission.MANAGE_APPLICATIONS) and may(
        actor, Right.ROLLBACK_WORKFLOW, environment
    )


def require(allowed: bool, what: str) -> None:
    """Raise Denied with a sentence that names the missing permission."""
    if not allowed:
        raise Denied(f"You need {what}. Ask an administrator of your user groups.")


def require_account(actor: User, permission: AccountPermission) -> None:
    """Raise Denied unless the actor holds the account permission."""
    require(holds(actor, permission), permission.label)


def _granted(actor: User, grants: type[Grants], codename: str) -> QuerySet[Any, Any]:
    """A subquery of one column: ids."""
    if actor.is_active and actor.is_superuser:
        subject = grants._meta.get_field("content_object").related_model
        return subject._default_manager.order_by().values("pk")  # type: ignore[union-attr]
    return _grants_of(actor, grants, codename).values("content_object")


def _grants_of(actor: User, grants: type[Grants], codename: str) -> QuerySet[Any, Any]:
    """Without joins, which would read all that the actor's groups have instead of this right."""
    if not actor.is_active:
        return grants._default_manager.none()
    permission = Permission.objects.filter(codename=codename, content_type__app_label="dashboard")
    return grants._default_manager.filter(
        permission__in=permission.order_by().values("pk"),
        group__in=User.groups.through.objects.filter(user=actor).values("group"),
    )
