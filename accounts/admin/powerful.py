"""What to look at twice: grants with which much can be done, and groups that do nothing."""

from collections.abc import Iterator

from accounts.models import ApiKey, User, UserGroup
from accounts.rows import Permissions, Row, Scope
from accounts.vocabulary import CRUD, AccountPermission, Action, PermissionType

POWERFUL_ACCOUNT = {
    AccountPermission.MANAGE_USERS_AND_GROUPS: "its members edit people and groups, and give on "
    "whatever they hold themselves.",
    AccountPermission.MANAGE_API_KEYS: "its members make keys with the rights they hold, which "
    "work without signing in.",
    AccountPermission.MANAGE_CONNECTORS: "its members decide which secret is sent where.",
    AccountPermission.ALLOW_DEPLOYMENTS_DURING_FREEZE: "freezes do not stop its members.",
}
IN_PRODUCTION = {
    Action.ROLLBACK_WORKFLOW: "roll back",
    Action.EXECUTE_WORKFLOW: "deploy",
}


def warnings(group: UserGroup) -> list[str]:
    """One sentence each."""
    permissions = group.permissions_held
    return [*of_permissions(permissions), *_of_people(group, permissions)]


def of_permissions(permissions: Permissions) -> Iterator[str]:
    for each, sentence in POWERFUL_ACCOUNT.items():
        if each in permissions.account:
            yield f"{each.label}: {sentence}"
    if any(_is_everything(row) for row in permissions.rows):
        yield "All Permission Types on all applications: its members edit the whole catalogue."
    for action, words in IN_PRODUCTION.items():
        if any(_reaches_production(row, action) for row in permissions.concrete()):
            yield f"{action.label} in production: its members may {words} in every application."


def _is_everything(row: Row) -> bool:
    return (
        row.permission_type == PermissionType.ALL
        and row.applications is None
        and row.actions >= CRUD
    )


def _reaches_production(row: Row, action: Action) -> bool:
    return (
        row.permission_type == PermissionType.DEPLOYMENT
        and row.applications is None
        and action in row.actions
        and bool(row.scopes & {Scope.EVERYTHING, Scope.PRODUCTION})
    )


def _of_people(group: UserGroup, permissions: Permissions) -> Iterator[str]:
    people = User.people.filter(groups=group.pk)
    keys = ApiKey.objects.filter(user__groups=group.pk, revoked_at=None).count()
    if not permissions.account and not permissions.rows:
        yield "It gives nothing: it has neither account permissions nor application permissions."
    if not people.exists() and not keys:
        yield "Nobody is in it: what it gives, nobody has by it."
    if keys and permissions.account & set(POWERFUL_ACCOUNT):
        many = "An API key acts" if keys == 1 else f"{keys} API keys act"
        yield f"{many} with these rights."
