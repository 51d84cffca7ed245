"""Changes what a group may do, and shows beforehand what a change would do (reference 4.2)."""

import strawberry

from accounts import administration
from accounts.api import Info, Input, Payload, actor_of, field, mutation
from accounts.differences import change
from accounts.models import User, UserGroup
from accounts.needs import MANAGE_USERS_AND_GROUPS, READ_USERS_AND_GROUPS
from accounts.schema.lookup import group_of
from accounts.schema.permissions import UserGroupPermissions, UserGroupPermissionsInput
from accounts.schema.reading import read
from accounts.schema.refusals import refusals
from accounts.schema.showing import InWords, shown


@strawberry.input
class UpdateUserGroupPermissionsInput(Input):
    user_group_id: str
    permissions: UserGroupPermissionsInput


@strawberry.input
class AddUserGroupPermissionsInput(Input):
    user_group_id: str
    permissions: UserGroupPermissionsInput


@strawberry.type
class UpdateUserGroupPermissionsPayload(Payload):
    permissions: UserGroupPermissions


@strawberry.type
class AddUserGroupPermissionsPayload(Payload):
    permissions: UserGroupPermissions


@strawberry.type(description="What updateUserGroupPermissions would do; not in the field's API.")
class UserGroupPermissionsPreview:
    gained: InWords
    lost: InWords
    members_affected: int = strawberry.field(
        description="Active people in the group; 0 without a change."
    )
    api_keys_affected: int = strawberry.field(description="Usable API keys of the group.")


@strawberry.type
class Query:
    @field(READ_USERS_AND_GROUPS)
    def preview_user_group_permissions(
        self, info: Info, user_group_id: str, permissions: UserGroupPermissionsInput
    ) -> UserGroupPermissionsPreview | None:
        """What updateUserGroupPermissions would give and take. Lastgood's own, not the field's."""
        group = group_of(user_group_id)
        had = group.permissions_held
        wanted, _ = read(permissions, actor_of(info), had, ("permissions",))
        difference = change(had, wanted)
        affected = User.objects.filter(groups=group.pk, is_active=True)
        if difference.is_empty:
            affected = affected.none()
        return UserGroupPermissionsPreview(
            gained=InWords.of(difference.gained),
            lost=InWords.of(difference.lost),
            members_affected=affected.filter(api_key=None).count(),
            api_keys_affected=affected.exclude(api_key=None).count(),
        )


@strawberry.type
class Mutation:
    @mutation(MANAGE_USERS_AND_GROUPS)
    def update_user_group_permissions(
        self, info: Info, input: UpdateUserGroupPermissionsInput
    ) -> UpdateUserGroupPermissionsPayload | None:
        """Replace everything the group may do, its account permissions included.

        What is not sent is gone. To add, use addUserGroupPermissions, or read the group first.
        """
        actor, group = actor_of(info), group_of(input.user_group_id)
        had = group.permissions_held
        wanted, path_of = read(input.permissions, actor, had, ("input", "permissions"))
        with refusals(path_of):
            administration.set_permissions(group, wanted, by=actor)
        return UpdateUserGroupPermissionsPayload(
            client_mutation_id=input.client_mutation_id, permissions=_now(group)
        )

    @mutation(MANAGE_USERS_AND_GROUPS)
    def add_user_group_permissions(
        self, info: Info, input: AddUserGroupPermissionsInput
    ) -> AddUserGroupPermissionsPayload | None:
        """Add to what the group may do, and take nothing. Lastgood's own, not the field's."""
        actor, group = actor_of(info), group_of(input.user_group_id)
        had = group.permissions_held
        more, path_of = read(input.permissions, actor, had, ("input", "permissions"), adds=True)
        with refusals(path_of):
            administration.add_permissions(group, more, by=actor)
        return AddUserGroupPermissionsPayload(
            client_mutation_id=input.client_mutation_id, permissions=_now(group)
        )


def _now(group: UserGroup) -> UserGroupPermissions:
    return shown(group_of(group.public_id).permissions_held)
