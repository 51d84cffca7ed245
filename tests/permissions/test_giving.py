"""Nobody gives what they do not hold, through any sequence of permitted operations.

Everything anybody may hold is measured by the oracle as a set of elementary rights: each account
permission, and each (type, doing, thing) where the things include one of every sort that could be
created later in every application, and in an application that could be created later.

`HYPOTHESIS_PROFILE=long` goes on for hours.
"""

import os
from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from accounts import administration, audit, grants
from accounts.administration import Invalid, LastAdministrator
from accounts.models import ApiKey, User, UserGroup
from accounts.policy import Denied
from accounts.rows import Permissions, Place
from accounts.vocabulary import AccountPermission
from dashboard.models import Application, Environment, Service
from tests.permissions.oracle import FUTURE, Group, Row
from tests.permissions.reading import Reading, read
from tests.permissions.worlds import ACCOUNT, Placed, kind_of, put, random_row, random_world, some

pytestmark = pytest.mark.django_db
MANAGE = AccountPermission.MANAGE_USERS_AND_GROUPS.value
ADMINISTERING = {MANAGE, "READ_USERS_AND_GROUPS", "MANAGE_API_KEYS"}
IS_LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
# Seeds, so that a failure is shrunk to few steps; random numbers one by one would take hours.
RANDOM = st.integers(0, 2**32).map(Random)
Operation = Callable[[User], object]


class Giving(RuleBasedStateMachine):
    """People with random permissions do what they can to have more."""

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.now = timezone.now()
        self.count = 0

    def teardown(self) -> None:
        try:
            assert not grants.difference()
        finally:
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    @initialize(random=RANDOM)
    def begin(self, random: Random) -> None:
        UserGroup.objects.all().delete()
        world = random_world(random, people=4, groups=4, environments=4)
        world.groups["g0"].account = set(ADMINISTERING)
        world.groups["g1"].account |= set(some(random, sorted(ADMINISTERING), 0))
        for name, who in world.people.items():
            who.is_superuser = False
            who.is_active |= name == "p0"
        world.people["p0"].groups.add("g0")
        # Somebody who left, and whose way back must not be for everybody to open.
        world.people["p3"].is_active = False
        world.people["p3"].groups.add("g2")
        put(world)
        can_sign_in = ["p0", "p3", *some(random, ["p1", "p2"], 1)]
        User.objects.filter(username__in=can_sign_in).update(password="one that fits something")
        for _ in range(2):
            self._key(random, None)
        self.now_held = self._read()
        self.allowed = set(self.now_held.held_by_anybody)
        self.was_administered = self._is_administered()

    # --------------------------------------------------------------- what people may attempt

    @rule(random=RANDOM)
    def set_permissions(self, random: Random) -> None:
        group, wanted = self._group(random), self._permissions(random)
        self._attempt(
            random, lambda by: administration.set_permissions(group, wanted, by=by), wanted
        )

    @rule(random=RANDOM)
    def add_permissions(self, random: Random) -> None:
        group, more = self._group(random), self._permissions(random)
        self._attempt(random, lambda by: administration.add_permissions(group, more, by=by), more)

    @rule(random=RANDOM)
    def set_members(self, random: Random) -> None:
        group, users = self._group(random), list(User.objects.order_by("pk"))
        members = [user for user in users if random.random() < 0.4]
        self._attempt(random, lambda by: administration.set_members(group, members, by=by), members)

    @rule(random=RANDOM)
    def add_or_remove_a_member(self, random: Random) -> None:
        group, user = self._group(random), self._user(random)
        how = random.choice([administration.add_member, administration.remove_member])
        self._attempt(random, lambda by: how(group, user, by=by), how.__name__, user)

    @rule(random=RANDOM)
    def create_group(self, random: Random) -> None:
        name, wanted = self._name("group"), self._permissions(random)
        members = [self._user(random)]
        self._attempt(
            random,
            lambda by: administration.create_group(
                name, by=by, permissions=wanted, members=members
            ),
            wanted,
            members,
        )

    @rule(random=RANDOM)
    def delete_group(self, random: Random) -> None:
        group = self._group(random)
        self._attempt(random, lambda by: administration.delete_group(group, by=by), group)

    @rule(random=RANDOM)
    def create_user(self, random: Random) -> None:
        profile, groups = {"username": self._name("user")}, self._groups(random)
        password = random.choice([None, "a password"])
        self._attempt(
            random,
            lambda by: administration.create_user(profile, by=by, password=password, groups=groups),
            groups,
        )

    @rule(random=RANDOM)
    def set_password(self, random: Random) -> None:
        user = self._user(random)
        self._attempt(random, lambda by: administration.set_password(user, "another", by=by), user)

    @rule(random=RANDOM)
    def deactivate(self, random: Random) -> None:
        user = self._user(random)
        self._attempt(random, lambda by: administration.deactivate(user, by=by, now=self.now), user)

    @rule(random=RANDOM)
    def reactivate(self, random: Random) -> None:
        left = list(User.people.filter(is_active=False).order_by("pk"))
        user = random.choice(left) if left and random.random() < 0.7 else self._user(random)
        self._attempt(random, lambda by: administration.reactivate(user, by=by), user)

    @rule(random=RANDOM)
    def create_key(self, random: Random) -> None:
        self._attempt(random, lambda by: self._key(random, by))

    @rule(random=RANDOM)
    @precondition(lambda self: ApiKey.objects.exists())
    def update_key(self, random: Random) -> None:
        key = random.choice(list(ApiKey.objects.order_by("pk")))
        groups, ends = self._groups(random), self._end(random)
        if random.random() < 0.6:
            groups = list(UserGroup.objects.filter(user=key.user))
        self._attempt(
            random,
            lambda by: administration.update_key(key, groups, expires_at=ends, by=by, now=self.now),
            key,
            groups,
        )

    @rule(random=RANDOM)
    @precondition(lambda self: ApiKey.objects.exists())
    def revoke_key(self, random: Random) -> None:
        key = random.choice(list(ApiKey.objects.order_by("pk")))
        self._attempt(random, lambda by: administration.revoke_key(key, by=by, now=self.now), key)

    @rule(random=RANDOM)
    @precondition(lambda self: Environment.objects.exists())
    def retype(self, random: Random) -> None:
        environment = random.choice(list(Environment.objects.order_by("pk")))
        self._attempt(random, lambda by: _retype(environment, by), environment)

    # --------------------------------------------------------------------- what befalls them

    @rule(random=RANDOM)
    def an_environment_is_created(self, random: Random) -> None:
        application = random.choice(list(Application.objects.order_by("pk")))
        is_production, name = random.random() < 0.5, self._name("environment")
        kind = kind_of(is_production)
        Environment.objects.create(application=application, name=name, environment_type=kind)
        self._allow_like(f"{application.name}: later {_CLASS[is_production]}", name)

    @rule(random=RANDOM)
    def a_service_is_created(self, random: Random) -> None:
        application = random.choice(list(Application.objects.order_by("pk")))
        name = self._name("service")
        Service.objects.create(application=application, name=name, deployment_type="SSH")
        self._allow_like(f"{application.name}: later SERVICE", name)

    @rule()
    def an_application_is_created(self) -> None:
        name = self._name("application")
        Application.objects.create(name=name)
        self.allowed |= {
            (*right[:-1], right[-1].replace(FUTURE, name))
            for right in self.allowed
            if right[-1].startswith(FUTURE)
        }
        self._see_what_is()

    @rule(random=RANDOM)
    def something_is_deleted(self, random: Random) -> None:
        model = random.choice([Environment, Service])
        found = list(model.objects.order_by("pk"))
        if found:
            random.choice(found).delete()
        self._see_what_is()

    @rule(random=RANDOM)
    def time_passes(self, random: Random) -> None:
        self.now += timedelta(days=random.randint(1, 10))
        self._see_what_is()

    # --------------------------------------------------------------------------- the promise

    def _attempt(self, random: Random, operation: Operation, *about: object) -> None:
        """Somebody who can act attempts it; nobody has anything by it that they did not have."""
        before = self.now_held
        if not before.actors:
            return  # the last who could sign in is gone; the command line is left
        name = self._actor(random, before)
        by = User.objects.get(username=name)
        try:
            operation(by)
        except (Denied, Invalid, LastAdministrator):
            self.now_held = self._read()
            assert self.now_held.held == before.held, "refused, and yet something changed"
            return
        self._see_what_is()
        own = before.held[name]
        for who, held in self.now_held.held.items():
            gained = held - before.held.get(who, set()) - own
            assert not gained, f"{name} gave {who} {sorted(gained)[:5]}: {about}"

    def _see_what_is(self) -> None:
        self.now_held = self._read()
        unheard_of = self.now_held.held_by_anybody - self.allowed
        assert not unheard_of, f"nobody held this at the beginning: {sorted(unheard_of)[:5]}"
        assert self._is_administered() == self.was_administered

    def _allow_like(self, probe: str, name: str) -> None:
        """What could have been created was created: who had it there has it here."""
        self.allowed |= {(*right[:-1], name) for right in self.allowed if right[-1] == probe}
        self._see_what_is()

    def _read(self) -> Reading:
        return read(self.now)

    def _is_administered(self) -> bool:
        people = set(User.people.values_list("username", flat=True))
        return any(
            MANAGE in group.account
            for name in people
            for group in self.now_held.world.groups_of(name)
        )

    # --------------------------------------------------------------------------- who and what

    def _actor(self, random: Random, before: Reading) -> str:
        """Rather somebody who may do something."""
        able = [name for name in before.actors if before.held[name] & {(MANAGE,)}]
        return random.choice(able if able and random.random() < 0.85 else before.actors)

    def _permissions(self, random: Random) -> Permissions:
        """Often what somebody has, now and then with something changed."""
        world = self.now_held.world
        rows = [row for group in world.groups.values() for row in group.rows]
        chosen = some(random, rows, 0, 2)  # type: ignore[arg-type]
        chosen = [_changed(random, row, random_row(random, world)) for row in chosen]
        if random.random() < 0.3:
            chosen.append(random_row(random, world))
        account = set(some(random, sorted({*ACCOUNT, *ADMINISTERING}), 0, 4))
        return _placed().permissions(Group(account, chosen))

    def _group(self, random: Random) -> UserGroup:
        return random.choice(list(UserGroup.objects.order_by("pk")))

    def _groups(self, random: Random) -> list[UserGroup]:
        return some(random, list(UserGroup.objects.order_by("pk")), 0, 2)  # type: ignore[arg-type,return-value]

    def _user(self, random: Random) -> User:
        return random.choice(list(User.objects.order_by("pk")))

    def _key(self, random: Random, by: User | None) -> None:
        groups, ends = self._groups(random) or [self._group(random)], self._end(random)
        administration.create_key(self._name("key"), groups, by=by, now=self.now, expires_at=ends)

    def _end(self, random: Random) -> Any:
        return random.choice([None, self.now + timedelta(days=random.randint(1, 15))])

    def _name(self, kind: str) -> str:
        self.count += 1
        return f"{kind}-{self.count}"


_CLASS = {True: "production", False: "non-production"}


def _retype(environment: Environment, by: User) -> None:
    audit.lock()
    application, was = environment.application_id, environment.is_production
    before, after = Place(application, was), Place(application, not was)
    administration.require_retype(environment.pk, before, after, by=by)
    environment.environment_type = kind_of(not was)
    environment.save()


def _changed(random: Random, row: Row, other: Row) -> Row:
    """The row, or one like it that says more or less in one dimension."""
    aspect = random.choice(["nothing", "nothing", "actions", "applications", "filters"])
    changed = Row(**vars(row))
    if aspect != "nothing" and row.permission_type == other.permission_type:
        setattr(changed, aspect, getattr(other, aspect))
    return changed


def _placed() -> Placed:
    """Where the things are that rows name."""
    return Placed(
        applications={each.name: each for each in Application.objects.all()},
        environments={each.name: each for each in Environment.objects.all()},
        services={each.name: each for each in Service.objects.all()},
    )


def test_nobody_gives_what_they_do_not_hold() -> None:
    run_state_machine_as_test(
        Giving,
        settings=settings(
            max_examples=5_000 if IS_LONG else 20,
            stateful_step_count=40 if IS_LONG else 25,
            derandomize=not IS_LONG,
            deadline=None,
            database=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
