"""API keys: made, given other groups or another end, and revoked."""

from datetime import datetime

import strawberry

from accounts import administration
from accounts.api import Info, Input, Payload, actor_of, field, mutation, now_of
from accounts.models import ApiKey, UserGroup
from accounts.needs import MANAGE_API_KEYS
from accounts.paging import MOST, Connection, page
from accounts.schema.lookup import api_key_of, groups_of
from accounts.schema.nodes import ApiKeyNode
from accounts.schema.refusals import refusals

GROUPS = ("input", "userGroupIds")


@strawberry.input
class CreateApiKeyInput(Input):
    name: str
    user_group_ids: list[str] = strawberry.field(description="The key has the rights of these.")
    expires_at: datetime | None = strawberry.field(default=None, description="Never, if left out.")
    account_id: str | None = strawberry.field(
        default=None, description="The field's; there is one account here, so it is ignored."
    )


@strawberry.input(description="What is left out stays as it is.")
class UpdateApiKeyInput(Input):
    uuid: str
    user_group_ids: list[str] | None = None
    expires_at: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="Null: it never expires."
    )


@strawberry.input
class DeleteApiKeyInput(Input):
    uuid: str


@strawberry.type
class CreateApiKeyPayload(Payload):
    uuid: str
    name: str
    key: str = strawberry.field(description="The key itself. It is not kept: store it now.")


@strawberry.type
class UpdateApiKeyPayload(Payload):
    api_key: ApiKeyNode


@strawberry.type
class DeleteApiKeyPayload(Payload):
    pass


@strawberry.type
class Query:
    @field(MANAGE_API_KEYS)
    def api_keys(
        self, info: Info, limit: int = MOST, offset: int = 0
    ) -> Connection[ApiKeyNode] | None:
        """All API keys, those that were revoked too, by name. Lastgood's own."""
        return page(info, ApiKey.objects.select_related("user"), ApiKeyNode.all, limit, offset)


@strawberry.type
class Mutation:
    @mutation(MANAGE_API_KEYS)
    def create_api_key(self, info: Info, input: CreateApiKeyInput) -> CreateApiKeyPayload | None:
        """Make a key with the rights of user groups whose rights you have; its text comes once."""
        groups = groups_of(input.user_group_ids, GROUPS)
        with refusals():
            key, text = administration.create_key(
                input.name, groups, by=actor_of(info), now=now_of(info), expires_at=input.expires_at
            )
        return CreateApiKeyPayload(
            client_mutation_id=input.client_mutation_id, uuid=key.prefix, name=key.name, key=text
        )

    @mutation(MANAGE_API_KEYS)
    def update_api_key(self, info: Info, input: UpdateApiKeyInput) -> UpdateApiKeyPayload | None:
        """Give it the rights of other groups, or another end."""
        key = api_key_of(input.uuid)
        keeps = input.expires_at is strawberry.UNSET
        with refusals():
            administration.update_key(
                key,
                _groups(key, input.user_group_ids),
                expires_at=key.expires_at if keeps else input.expires_at,
                by=actor_of(info),
                now=now_of(info),
            )
        (node,) = ApiKeyNode.all([api_key_of(input.uuid)])
        return UpdateApiKeyPayload(client_mutation_id=input.client_mutation_id, api_key=node)

    @mutation(MANAGE_API_KEYS)
    def delete_api_key(self, info: Info, input: DeleteApiKeyInput) -> DeleteApiKeyPayload | None:
        """Revoke it, at once and for good; what it did stays on record."""
        with refusals():
            administration.revoke_key(api_key_of(input.uuid), by=actor_of(info), now=now_of(info))
        return DeleteApiKeyPayload(client_mutation_id=input.client_mutation_id)


def _groups(key: ApiKey, ids: list[str] | None) -> list[UserGroup]:
    if ids is None:
        return list(UserGroup.objects.filter(user=key.user))
    return groups_of(ids, GROUPS)
