"""What everything that can be asked for needs, declared where it is defined.

A view, GraphQL field, admin page or task without a declaration is refused. Account permissions
are enforced from the declaration by whoever dispatches; the others are promises of the function
itself (it loads through what the actor may see, it acts through an action), kept by tests.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from accounts.vocabulary import AccountPermission

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Need:
    """One declaration."""

    name: str
    account: AccountPermission | None = None
    detail: str = ""


def account(permission: AccountPermission) -> Need:
    """The account permission, enforced before anything else happens."""
    return Need(permission.name, permission, permission.label)


ANYONE = Need("ANYONE", detail="Strangers too.")
SIGNED_IN = Need("SIGNED_IN", detail="Anybody who is signed in.")
VISIBLE = Need("VISIBLE", detail="Loads through what the actor may see.")
VIEW_DEPLOYMENTS = Need("VIEW_DEPLOYMENTS", detail="View deployments on the environment.")
EXECUTE_WORKFLOW = Need("EXECUTE_WORKFLOW", detail="Execute Workflow on the environment.")
ROLLBACK = Need("ROLLBACK", detail="Manage Applications, and Rollback Workflow on the environment.")
ABORT_WORKFLOW = Need("ABORT_WORKFLOW", detail="Abort Workflow on the environment.")
WORKER = Need("WORKER", detail="Nobody asks: a worker acts for whoever started it, and asks again.")
RESUME = Need("RESUME", detail="What the execution itself needs: to execute, or to roll back.")
READ_USERS_AND_GROUPS = account(AccountPermission.READ_USERS_AND_GROUPS)
MANAGE_USERS_AND_GROUPS = account(AccountPermission.MANAGE_USERS_AND_GROUPS)
MANAGE_API_KEYS = account(AccountPermission.MANAGE_API_KEYS)
VIEW_AUDITS = account(AccountPermission.VIEW_AUDITS)


def needs(need: Need) -> Callable[[Function], Function]:
    """Declare what a view or a task needs; outermost, because other decorators hide it."""

    def declare(function: Function) -> Function:
        function.needs = need  # type: ignore[attr-defined]
        return function

    return declare


def declared(view: Any) -> Need | None:
    """What a view declares: itself, or by its class, its model's admin or the admin site."""
    for owner in (
        view,
        getattr(view, "view_class", None),
        getattr(view, "model_admin", None),
        getattr(view, "admin_site", None),
    ):
        need = getattr(owner, "needs", None)
        if isinstance(need, Need):
            return need
    return None
