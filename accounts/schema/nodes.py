"""People, user groups and API keys as the API shows them.

What belongs to the things of one list is loaded for all of them together (accounts.paging.Peers).
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

import strawberry

from accounts.api import Info, field
from accounts.models import ApiKey, User, UserGroup
from accounts.needs import MANAGE_API_KEYS, READ_USERS_AND_GROUPS
from accounts.paging import MOST, Connection, Peers, page
from accounts.schema.permissions import UserGroupPermissions
from accounts.schema.showing import shown


@strawberry.type(name="User", description="A person.")
class UserNode:
    id: str
    name: str
    username: str
    email: str
    is_active: bool = strawberry.field(description="False: deactivated, and may nothing.")
    peers: strawberry.Private[Peers]

    @classmethod
    def all(cls, people: Iterable[User], peers: Peers | None = None) -> list["UserNode"]:
        people = list(people)
        peers = peers or Peers(people)
        return [
            cls(
                id=str(each.pk),
                name=each.label,
                username=each.username,
                email=each.email,
                is_active=each.is_active,
                peers=peers,
            )
            for each in people
        ]

    @field(READ_USERS_AND_GROUPS)
    def user_groups(
        self, info: Info, limit: int = MOST, offset: int = 0
    ) -> Connection["UserGroupNode"]:
        """The groups this person is in."""
        found, peers = self.peers.related(int(self.id), "groups", _groups_of)
        return page(info, found, lambda rows: UserGroupNode.all(rows, peers), limit, offset)


@strawberry.type(name="UserGroup", description="People, and what they may do by being in it.")
class UserGroupNode:
    id: str
    name: str
    description: str
    is_sso_linked: bool = strawberry.field(name="isSSOLinked", description="Always false here.")
    imported_by_scim: bool = strawberry.field(description="Always false here.")
    group: strawberry.Private[UserGroup]
    peers: strawberry.Private[Peers]

    @classmethod
    def all(cls, groups: Iterable[UserGroup], peers: Peers | None = None) -> list["UserGroupNode"]:
        """Nodes of groups that were loaded `with_choices`."""
        groups = list(groups)
        peers = peers or Peers(groups)
        return [
            cls(
                id=each.public_id,
                name=each.name,
                description=each.description,
                is_sso_linked=False,
                imported_by_scim=False,
                group=each,
                peers=peers,
            )
            for each in groups
        ]

    @field(READ_USERS_AND_GROUPS)
    def permissions(self) -> UserGroupPermissions:
        """What its members may do by it; can be sent to updateUserGroupPermissions as it is."""
        return shown(self.group.permissions_held)

    @field(READ_USERS_AND_GROUPS)
    def users(self, info: Info, limit: int = MOST, offset: int = 0) -> Connection[UserNode]:
        """The people in it."""
        found, peers = self.peers.related(self.group.pk, "people", _people_of)
        return page(info, found, lambda rows: UserNode.all(rows, peers), limit, offset)


@strawberry.type(name="ApiKey", description="A program's way in; its text is shown once.")
class ApiKeyNode:
    uuid: str = strawberry.field(description="What the key's text begins with, after lgk_.")
    name: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    acts_as: strawberry.Private[int]
    peers: strawberry.Private[Peers]

    @classmethod
    def all(cls, keys: Iterable[ApiKey]) -> list["ApiKeyNode"]:
        keys = list(keys)
        peers = Peers(key.user for key in keys)
        return [
            cls(
                uuid=key.prefix,
                name=key.name,
                created_at=key.created_at,
                expires_at=key.expires_at,
                revoked_at=key.revoked_at,
                last_used_at=key.last_used_at,
                acts_as=key.user_id,
                peers=peers,
            )
            for key in keys
        ]

    @field(MANAGE_API_KEYS)
    def user_groups(
        self, info: Info, limit: int = MOST, offset: int = 0
    ) -> Connection[UserGroupNode]:
        """The groups whose rights the key has."""
        found, peers = self.peers.related(self.acts_as, "groups", _groups_of)
        return page(info, found, lambda rows: UserGroupNode.all(rows, peers), limit, offset)


def _groups_of(people: Collection[int]) -> dict[int, list[UserGroup]]:
    found = UserGroup.objects.with_choices().filter(user__in=people).distinct().order_by("name")
    return _linked("user_id", "group_id", people, found)


def _people_of(groups: Collection[int]) -> dict[int, list[User]]:
    found = User.people.filter(groups__in=groups).distinct().order_by("username")
    return _linked("group_id", "user_id", groups, found)


def _linked(
    owner: str, other: str, owners: Collection[int], things: Iterable[Any]
) -> dict[int, list[Any]]:
    """The things in their order, by who has them."""
    memberships = User.groups.through.objects.filter(**{f"{owner}__in": owners})
    holders: dict[int, list[int]] = {}
    for holder, thing in memberships.values_list(owner, other):
        holders.setdefault(thing, []).append(holder)
    found: dict[int, list[Any]] = {}
    for thing in things:
        for holder in holders.get(thing.pk, ()):
            found.setdefault(holder, []).append(thing)
    return found
