"""The database as a plain world for the oracle: whoever can act, and what groups give."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.db.models import QuerySet

from accounts.models import ApiKey, AppPermission, User, UserGroup
from dashboard.models import Application, Service
from dashboard.models import Environment as StoredEnvironment
from tests.permissions import oracle
from tests.permissions.oracle import Environment, Group, Person, Right, Row, World
from tests.permissions.worlds import FIELD_OF_FILTER


@dataclass
class Reading:
    """The world as it is, with people and API keys by their usernames."""

    world: World
    actors: list[str]
    """Who can sign in or has a key that lets them in."""

    @cached_property
    def held(self) -> dict[str, set[Right]]:
        """What each group gives, and each actor has; somebody who cannot act has nothing."""
        groups = {
            f"group {name}": oracle.rights_of_group(self.world, group)
            for name, group in self.world.groups.items()
        }
        actors = {
            name: {
                right
                for group in self.world.people[name].groups
                for right in groups[f"group {group}"]
            }
            for name in self.actors
        }
        return groups | actors

    @property
    def held_by_anybody(self) -> set[Right]:
        return set().union(*(self.held[name] for name in self.actors))


def read(now: datetime) -> Reading:
    """Everything in a dozen queries."""
    users = list(User.objects.prefetch_related("groups").order_by("pk"))
    keys = {key.user_id: key for key in ApiKey.objects.all()}
    world = World(
        people={user.username: _person(user) for user in users},
        groups={group.name: _group(group) for group in _groups()},
        applications={each.name for each in Application.objects.all()},
        environments={
            each.name: Environment(each.application.name, each.environment_type == "PRODUCTION")
            for each in StoredEnvironment.objects.select_related("application")
        },
        services={
            each.name: each.application.name
            for each in Service.objects.select_related("application")
        },
    )
    return Reading(world, [each.username for each in users if _can_act(each, keys, now)])


def _can_act(user: User, keys: dict[int, ApiKey], now: datetime) -> bool:
    key = keys.get(user.pk)
    is_let_in = bool(key and not key.revoked_at and not (key.expires_at and key.expires_at <= now))
    return user.is_active and (is_let_in or user.has_usable_password())


def _person(user: User) -> Person:
    return Person({group.name for group in user.groups.all()}, user.is_active, user.is_superuser)


def _groups() -> QuerySet[UserGroup]:
    choices = ("applications", "environments", "services")
    return UserGroup.objects.prefetch_related(*(f"app_permissions__{each}" for each in choices))


def _group(group: UserGroup) -> Group:
    return Group(
        set(group.account_permissions), [row_of(each) for each in group.app_permissions.all()]
    )


def row_of(stored: AppPermission) -> Row:
    return Row(
        stored.permission_type,
        set(stored.actions),
        None if stored.all_applications else {each.name for each in stored.applications.all()},
        {word for word, name in FIELD_OF_FILTER.items() if getattr(stored, name)},
        {each.name for each in stored.environments.all()},
        {each.name for each in stored.services.all()},
    )
