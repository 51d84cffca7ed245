"""People: looking them up, letting them in and out; and what the caller may do."""

import strawberry
from django.db.models import Value
from django.db.models.functions import Concat, Trim

from accounts import administration, policy
from accounts.api import (
    BadUserInput,
    Info,
    Input,
    NotFound,
    Payload,
    actor_of,
    field,
    mutation,
    now_of,
)
from accounts.models import User, UserGroup
from accounts.needs import MANAGE_USERS_AND_GROUPS, READ_USERS_AND_GROUPS, SIGNED_IN
from accounts.paging import MOST, Connection, page
from accounts.rows import Permissions
from accounts.schema.lookup import groups_of, person_of
from accounts.schema.nodes import UserGroupNode, UserNode
from accounts.schema.permissions import UserGroupPermissions
from accounts.schema.refusals import refusals
from accounts.schema.showing import InWords, shown


@strawberry.input
class CreateUserInput(Input):
    name: str = strawberry.field(description="The name people know them by.")
    email: str
    username: str | None = strawberry.field(
        default=None, description="What they sign in with; the email address if left out."
    )
    user_group_ids: list[str] | None = None


@strawberry.input(description="What is left out stays as it is.")
class UpdateUserInput(Input):
    id: str
    name: str | None = None
    email: str | None = None
    username: str | None = None


@strawberry.input
class DeleteUserInput(Input):
    id: str


@strawberry.input
class DeactivateUserInput(Input):
    id: str


@strawberry.input
class ReactivateUserInput(Input):
    id: str


@strawberry.type
class CreateUserPayload(Payload):
    user: UserNode


@strawberry.type
class UpdateUserPayload(Payload):
    user: UserNode


@strawberry.type
class DeleteUserPayload(Payload):
    pass


@strawberry.type
class DeactivateUserPayload(Payload):
    user: UserNode


@strawberry.type
class ReactivateUserPayload(Payload):
    user: UserNode


@strawberry.type(description="Whoever calls: a person, or the program that holds an API key.")
class Viewer:
    id: str
    name: str
    is_api_key: bool
    actor: strawberry.Private[User]
    held: strawberry.Private[Permissions]

    @field(SIGNED_IN)
    def permissions(self) -> UserGroupPermissions:
        """Everything you may do, from all of your user groups."""
        return shown(self.held)

    @field(SIGNED_IN)
    def in_words(self) -> InWords:
        """The same in words."""
        return InWords.of(self.held)

    @field(SIGNED_IN)
    def user_groups(
        self, info: Info, limit: int = MOST, offset: int = 0
    ) -> Connection[UserGroupNode]:
        """The groups you are in."""
        groups = UserGroup.objects.with_choices().filter(user=self.actor).order_by("name")
        return page(info, groups, UserGroupNode.all, limit, offset)


def _node(person: User) -> UserNode:
    """As they are now."""
    (node,) = UserNode.all([User.people.get(pk=person.pk)])
    return node


@strawberry.type
class Query:
    @field(SIGNED_IN)
    def viewer(self, info: Info) -> Viewer | None:
        """Who you are and what you may do. Lastgood's own, not the field's."""
        actor = actor_of(info)
        return Viewer(
            id=str(actor.pk),
            name=actor.label,
            is_api_key=not User.people.filter(pk=actor.pk).exists(),
            actor=actor,
            held=policy.held_by(actor),
        )

    @field(READ_USERS_AND_GROUPS)
    def user(self, id: str) -> UserNode | None:
        """The person with this id."""
        return _node(person_of(id))

    @field(READ_USERS_AND_GROUPS)
    def user_by_name(self, name: str) -> UserNode | None:
        """The person of this name, or with this username if several have the name."""
        full_name = Trim(Concat("first_name", Value(" "), "last_name"))
        people = User.people.annotate(full_name=full_name)
        found = people.filter(username=name) or people.filter(full_name=name)
        if len(found) > 1:
            raise BadUserInput(
                f"{len(found)} people have this name. Ask for users, and choose one by id."
            )
        if not found:
            raise NotFound("There is no user of this name.")
        return _node(found[0])

    @field(READ_USERS_AND_GROUPS)
    def users(self, info: Info, limit: int = MOST, offset: int = 0) -> Connection[UserNode] | None:
        """All people, by username."""
        return page(info, User.people.order_by("username"), UserNode.all, limit, offset)


@strawberry.type
class Mutation:
    @mutation(MANAGE_USERS_AND_GROUPS)
    def create_user(self, info: Info, input: CreateUserInput) -> CreateUserPayload | None:
        """Let somebody in; they sign in once an administrator has set a password for them."""
        profile = {
            "username": input.email if input.username is None else input.username,
            "first_name": input.name,
            "email": input.email,
        }
        groups = groups_of(input.user_group_ids or (), ("input", "userGroupIds"))
        with refusals():
            person = administration.create_user(profile, by=actor_of(info), groups=groups)
        return CreateUserPayload(client_mutation_id=input.client_mutation_id, user=_node(person))

    @mutation(MANAGE_USERS_AND_GROUPS)
    def update_user(self, info: Info, input: UpdateUserInput) -> UpdateUserPayload | None:
        """Change name, username or email address of somebody who may no more than you."""
        person = person_of(input.id)
        sent = {"username": input.username, "email": input.email, "first_name": input.name}
        if input.name is not None:
            sent["last_name"] = ""
        profile = {name: value for name, value in sent.items() if value is not None}
        with refusals():
            administration.update_user(person, profile, by=actor_of(info))
        return UpdateUserPayload(client_mutation_id=input.client_mutation_id, user=_node(person))

    @mutation(MANAGE_USERS_AND_GROUPS)
    def delete_user(self, info: Info, input: DeleteUserInput) -> DeleteUserPayload | None:
        """Delete somebody who left no trace; others can be deactivated."""
        with refusals():
            administration.delete_user(person_of(input.id), by=actor_of(info))
        return DeleteUserPayload(client_mutation_id=input.client_mutation_id)

    @mutation(MANAGE_USERS_AND_GROUPS)
    def deactivate_user(
        self, info: Info, input: DeactivateUserInput
    ) -> DeactivateUserPayload | None:
        """End somebody's sessions and the API keys they made. Lastgood's own, not the field's."""
        person = person_of(input.id)
        with refusals():
            administration.deactivate(person, by=actor_of(info), now=now_of(info))
        return DeactivateUserPayload(
            client_mutation_id=input.client_mutation_id, user=_node(person)
        )

    @mutation(MANAGE_USERS_AND_GROUPS)
    def reactivate_user(
        self, info: Info, input: ReactivateUserInput
    ) -> ReactivateUserPayload | None:
        """Let somebody in again. Lastgood's own, not the field's."""
        person = person_of(input.id)
        with refusals():
            administration.reactivate(person, by=actor_of(info))
        return ReactivateUserPayload(
            client_mutation_id=input.client_mutation_id, user=_node(person)
        )
