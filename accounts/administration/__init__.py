"""The only writer of people, groups, memberships, permissions and API keys.

Every change asks whether the actor may make it, whether it would give what the actor does not
hold, and whether somebody is left who can administer user groups; then it is made, materialised
and recorded in one transaction. `by` is the actor; None is whoever runs commands on the server
and could write to the database anyway.
"""

from accounts.administration.api_keys import create_key, revoke_key, update_key
from accounts.administration.change import Invalid, LastAdministrator
from accounts.administration.groups import (
    add_member,
    add_permissions,
    check,
    create_group,
    delete_group,
    remove_member,
    set_members,
    set_permissions,
    update_group,
)
from accounts.administration.people import (
    create_user,
    deactivate,
    delete_user,
    reactivate,
    set_password,
    update_user,
)
from accounts.administration.retyping import require_retype

__all__ = [
    "Invalid", "LastAdministrator", "add_member", "add_permissions", "check", "create_group",
    "create_key", "create_user", "deactivate", "delete_group", "delete_user", "reactivate",
    "remove_member", "require_retype", "revoke_key", "set_members", "set_password",
    "set_permissions", "update_group", "update_key", "update_user",
]  # fmt: skip
