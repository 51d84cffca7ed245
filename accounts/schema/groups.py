"""User groups: looking them up, making and changing them, and who is in them."""

import strawberry

from accounts import administration
from accounts.api import Info, Input, NotFound, Payload, actor_of, field, mutation
from accounts.models import UserGroup
from accounts.needs import MANAGE_USERS_AND_GROUPS, READ_USERS_AND_GROUPS
from accounts.paging import MOST, Connection, page
from accounts.rows import NOTHING
from accounts.schema.lookup import group_of, people_of, person_of
from accounts.schema.nodes import UserGroupNode
from accounts.schema.permissions import UserGroupPermissionsInput
from accounts.schema.reading import read
from accounts.schema.refusals import refusals


@strawberry.input
class CreateUserGroupInput(Input):
    name: str
    description: str | None = None
    user_ids: list[str] | None = None
    permissions: UserGroupPermissionsInput | None = None


@strawberry.input(description="What is left out stays as it is.")
class UpdateUserGroupInput(Input):
    user_group_id: str
    name: str | None = None
    description: str | None = None


@strawberry.input
class DeleteUserGroupInput(Input):
    user_group_id: str


@strawberry.input
class AddUserToUserGroupInput(Input):
    user_group_id: str
    user_id: str


@strawberry.input
class RemoveUserFromUserGroupInput(Input):
    user_group_id: str
    user_id: str


@strawberry.type
class CreateUserGroupPayload(Payload):
    user_group: UserGroupNode


@strawberry.type
class UpdateUserGroupPayload(Payload):
    user_group: UserGroupNode


@strawberry.type
class DeleteUserGroupPayload(Payload):
    pass


@strawberry.type
class AddUserToUserGroupPayload(Payload):
    user_group: UserGroupNode


@strawberry.type
class RemoveUserFromUserGroupPayload(Payload):
    user_group: UserGroupNode


def _node(group: UserGroup) -> UserGroupNode:
    """As it is now."""
    (node,) = UserGroupNode.all([group_of(group.public_id)])
    return node


@strawberry.type
class Query:
    @field(READ_USERS_AND_GROUPS)
    def user_group(self, user_group_id: str) -> UserGroupNode | None:
        """The user group with this id."""
        return _node(group_of(user_group_id))

    @field(READ_USERS_AND_GROUPS)
    def user_group_by_name(self, name: str) -> UserGroupNode | None:
        """The user group of this name; names are unique."""
        found = UserGroup.objects.filter(name=name).first()
        if found is None:
            raise NotFound("There is no user group of this name.")
        return _node(found)

    @field(READ_USERS_AND_GROUPS)
    def user_groups(
        self, info: Info, limit: int = MOST, offset: int = 0
    ) -> Connection[UserGroupNode] | None:
        """All user groups, by name."""
        return page(
            info,
            UserGroup.objects.with_choices().order_by("name"),
            UserGroupNode.all,
            limit,
            offset,
        )


@strawberry.type
class Mutation:
    @mutation(MANAGE_USERS_AND_GROUPS)
    def create_user_group(
        self, info: Info, input: CreateUserGroupInput
    ) -> CreateUserGroupPayload | None:
        """Make a user group, with what it may do and who is in it."""
        actor, sent = actor_of(info), input.permissions or UserGroupPermissionsInput()
        permissions, path_of = read(sent, actor, NOTHING, ("input", "permissions"))
        members = people_of(input.user_ids or (), ("input", "userIds"))
        with refusals(path_of):
            group = administration.create_group(
                input.name, by=actor, description=input.description or "",
                permissions=permissions, members=members,
            )  # fmt: skip
        return CreateUserGroupPayload(
            client_mutation_id=input.client_mutation_id, user_group=_node(group)
        )

    @mutation(MANAGE_USERS_AND_GROUPS)
    def update_user_group(
        self, info: Info, input: UpdateUserGroupInput
    ) -> UpdateUserGroupPayload | None:
        """Change its name and description."""
        group = group_of(input.user_group_id)
        name = group.name if input.name is None else input.name
        description = group.description if input.description is None else input.description
        with refusals():
            administration.update_group(
                group, name=name, description=description, by=actor_of(info)
            )
        return UpdateUserGroupPayload(
            client_mutation_id=input.client_mutation_id, user_group=_node(group)
        )

    @mutation(MANAGE_USERS_AND_GROUPS)
    def delete_user_group(
        self, info: Info, input: DeleteUserGroupInput
    ) -> DeleteUserGroupPayload | None:
        """Delete it, and with it what it gave."""
        with refusals():
            administration.delete_group(group_of(input.user_group_id), by=actor_of(info))
        return DeleteUserGroupPayload(client_mutation_id=input.client_mutation_id)

    @mutation(MANAGE_USERS_AND_GROUPS)
    def add_user_to_user_group(
        self, info: Info, input: AddUserToUserGroupInput
    ) -> AddUserToUserGroupPayload | None:
        """Put somebody into the group; nothing happens if they are in it."""
        group, person = group_of(input.user_group_id), person_of(input.user_id)
        with refusals():
            administration.add_member(group, person, by=actor_of(info))
        return AddUserToUserGroupPayload(
            client_mutation_id=input.client_mutation_id, user_group=_node(group)
        )

    @mutation(MANAGE_USERS_AND_GROUPS)
    def remove_user_from_user_group(
        self, info: Info, input: RemoveUserFromUserGroupInput
    ) -> RemoveUserFromUserGroupPayload | None:
        """Take somebody out of the group; nothing happens if they are not in it."""
        group, person = group_of(input.user_group_id), person_of(input.user_id)
        with refusals():
            administration.remove_member(group, person, by=actor_of(info))
        return RemoveUserFromUserGroupPayload(
            client_mutation_id=input.client_mutation_id, user_group=_node(group)
        )
