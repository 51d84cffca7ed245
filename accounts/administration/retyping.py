"""Moving an environment between production and non-production moves rights with it."""

from accounts import policy
from accounts.models import User, UserGroup
from accounts.policy import Denied
from accounts.rows import Permissions, Place
from accounts.vocabulary import INCLUDES, Action, PermissionType


def require_retype(environment: int, before: Place, after: Place, *, by: User) -> None:
    """Raise Denied where an environment's move would give anybody what the actor lacks in it."""
    held = _doings(policy.held_by(by), environment, before)
    for group in UserGroup.objects.with_choices():
        permissions = group.permissions_held
        gained = _doings(permissions, environment, after) - _doings(
            permissions, environment, before
        )
        if lacking := gained - held:
            words = sorted(f"{action.label} ({kind.label})" for kind, action in lacking)
            raise Denied(
                f"{group.name} would gain {', '.join(words)} here, which you do not hold yourself."
            )


def _doings(
    permissions: Permissions, environment: int, place: Place
) -> frozenset[tuple[PermissionType, Action]]:
    """Everything that may be done in the environment if it stands there."""
    return frozenset(
        (row.permission_type, included)
        for row in permissions.concrete()
        if row.permission_type != PermissionType.SERVICE and row.covers(environment, place)
        for action in row.actions
        for included in (
            INCLUDES[action] if row.permission_type == PermissionType.DEPLOYMENT else {action}
        )
    )
