"""Random worlds, as plain data for the oracle and as rows in the database, and what befalls them.

    for world in worlds(seed=1, count=40):
        placed = put(world)
        befall(random, world, placed)     # changes both, through the product's own code
        expected(world, person, "roll back", environment)

The same seed makes the same worlds.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random

from django.contrib.auth.models import Group as AuthGroup
from django.utils import timezone

from accounts import administration, grants
from accounts.models import SCOPE_OF_FIELD, AppPermission, User, UserGroup
from accounts.rows import Permissions
from accounts.rows import Row as PlainRow
from accounts.vocabulary import AccountPermission, Action, PermissionType
from dashboard.models import Application, Environment, Service
from tests.permissions import oracle
from tests.permissions.oracle import Group, Person, Row, World

FIELD_OF_FILTER = {
    "EVERYTHING": "everything",
    "PRODUCTION": "production",
    "NON_PRODUCTION": "non_production",
    "TEMPLATES": "templates",
}
DEPLOYMENT_ACTIONS = ["EXECUTE_PIPELINE", "EXECUTE_WORKFLOW", "ROLLBACK_WORKFLOW", "ABORT_WORKFLOW"]
CRUD = ["CREATE", "READ", "UPDATE", "DELETE"]
ACTIONS = {
    "ALL": CRUD + DEPLOYMENT_ACTIONS,
    "DEPLOYMENT": ["READ", *DEPLOYMENT_ACTIONS],
    **dict.fromkeys(["SERVICE", "ENV", "WORKFLOW", "PIPELINE", "PROVISIONER", "TEMPLATE"], CRUD),
}
# Deployments and ALL are where the reference leaves most to get wrong.
TYPES = ["DEPLOYMENT"] * 6 + ["ALL"] * 4 + [kind for kind in ACTIONS if kind not in {"ALL"}]
ACCOUNT = [
    "CREATE_AND_DELETE_APPLICATION",
    "READ_USERS_AND_GROUPS",
    "MANAGE_API_KEYS",
    "VIEW_AUDITS",
    "MANAGE_DEPLOYMENT_FREEZES",
]


def worlds(
    seed: int, count: int, *, people: int = 7, groups: int = 5, environments: int = 10
) -> Iterator[tuple[World, Random]]:
    """Random worlds, each with the random numbers to go on with."""
    for number in range(count):
        random = Random(f"{seed}/{number}")
        yield random_world(random, people=people, groups=groups, environments=environments), random


def random_world(random: Random, *, people: int, groups: int, environments: int) -> World:
    """People, groups and a catalogue; a few superusers and people who left."""
    world = World(applications={f"A{number}" for number in range(random.randint(1, 3))})
    for number in range(environments):
        application = random.choice(sorted(world.applications))
        place = oracle.Environment(application, random.random() < 0.5)
        world.environments[f"{application} e{number}"] = place
    for number in range(random.randint(1, 3)):
        application = random.choice(sorted(world.applications))
        world.services[f"{application} s{number}"] = application
    for number in range(groups):
        rows = [random_row(random, world) for _ in range(random.choice([0, 1, 1, 2, 3]))]
        world.groups[f"g{number}"] = Group(set(some(random, ACCOUNT, 0)), rows)
    for number in range(people):
        chosen = set(some(random, sorted(world.groups), 0, 3))
        chance = random.random()
        world.people[f"p{number}"] = Person(chosen, chance > 0.12, chance > 0.94)
    return world


def some(random: Random, among: list[str], least: int, most: int | None = None) -> list[str]:
    """So many of them, at random."""
    most = len(among) if most is None else min(most, len(among))
    return random.sample(among, random.randint(min(least, most), most))


def random_row(random: Random, world: World) -> Row:
    """A row that makes sense."""
    kind = random.choice(TYPES)
    applications = None
    if world.applications and random.random() < 0.6:
        applications = set(some(random, sorted(world.applications), 1, 2))
    row = Row(kind, set(some(random, ACTIONS[kind], 1, 3)), applications)
    _choose(random, world, row)
    return row


def _choose(random: Random, world: World, row: Row) -> None:
    """The filter: classes, or things by their names within the row's applications, or both."""
    kind = row.permission_type
    if kind == "SERVICE":
        row.services = set(some(random, _within(row, world.services), 0, 2))
    if kind in {"ALL", "DEPLOYMENT", "ENV", "WORKFLOW", "PIPELINE"}:
        owners = {name: each.application for name, each in world.environments.items()}
        if random.random() < 0.55:
            row.environments = set(some(random, _within(row, owners), 0, 3))
        classes = ["PRODUCTION", "NON_PRODUCTION"] + ["TEMPLATES"] * (kind == "WORKFLOW")
        if random.random() < 0.5:
            row.filters = set(some(random, classes, 1, 2))
    if not (row.filters or row.environments or row.services):
        row.filters = {"EVERYTHING"}


def _within(row: Row, owners: dict[str, str]) -> list[str]:
    return sorted(
        name
        for name, application in owners.items()
        if row.applications is None or application in row.applications
    )


# ------------------------------------------------------------------------------ in the database


@dataclass
class Placed:
    """The world's things in the database, by their names."""

    people: dict[str, User] = field(default_factory=dict)
    groups: dict[str, UserGroup] = field(default_factory=dict)
    applications: dict[str, Application] = field(default_factory=dict)
    environments: dict[str, Environment] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)

    def plain(self, row: Row) -> PlainRow:
        """The oracle's row as the product's."""
        return PlainRow(
            PermissionType(row.permission_type),
            frozenset(Action(each) for each in row.actions),
            None
            if row.applications is None
            else frozenset(self.applications[name].pk for name in row.applications),
            frozenset(SCOPE_OF_FIELD[FIELD_OF_FILTER[each]] for each in row.filters),
            frozenset(self.environments[name].pk for name in row.environments),
            frozenset(self.services[name].pk for name in row.services),
        )

    def permissions(self, group: Group) -> Permissions:
        account = frozenset(AccountPermission(each) for each in group.account)
        return Permissions(account, tuple(self.plain(row) for row in group.rows))


def put(world: World) -> Placed:
    """Write it with few statements, then make the object permissions of all of it."""
    placed = Placed()
    _put_catalogue(world, placed)
    for name, group in world.groups.items():
        account = sorted(group.account)
        placed.groups[name] = UserGroup.objects.create(name=name, account_permissions=account)
    _put_rows([(placed.groups[name], row) for name in world.groups for row in _rows(world, name)],
              placed)  # fmt: skip
    _put_people(world, placed)
    grants.materialise()
    return placed


def _rows(world: World, group: str) -> list[Row]:
    return world.groups[group].rows


def _put_catalogue(world: World, placed: Placed) -> None:
    made = Application.objects.bulk_create(
        Application(name=name) for name in sorted(world.applications)
    )
    placed.applications = {each.name: each for each in made}
    environments = Environment.objects.bulk_create(
        Environment(
            name=name,
            application=placed.applications[place.application],
            environment_type=kind_of(place.is_production),
        )
        for name, place in world.environments.items()
    )
    placed.environments = {each.name: each for each in environments}
    services = Service.objects.bulk_create(
        Service(name=name, application=placed.applications[owner], deployment_type="SSH")
        for name, owner in world.services.items()
    )
    placed.services = {each.name: each for each in services}


def kind_of(is_production: bool) -> str:
    return "PRODUCTION" if is_production else "NON_PRODUCTION"


def _put_rows(rows: list[tuple[UserGroup, Row]], placed: Placed) -> None:
    made = AppPermission.objects.bulk_create(
        AppPermission(
            user_group=group,
            permission_type=row.permission_type,
            actions=sorted(row.actions),
            all_applications=row.applications is None,
            **{FIELD_OF_FILTER[each]: True for each in row.filters},
        )
        for group, row in rows
    )
    for choice in ("applications", "environments", "services"):
        things = getattr(placed, choice)
        through = getattr(AppPermission, choice).through
        through.objects.bulk_create(
            through(apppermission=stored, **{choice.removesuffix("s"): things[name]})
            for stored, (_, row) in zip(made, rows, strict=True)
            for name in sorted(getattr(row, choice) or ())
        )


def _put_people(world: World, placed: Placed) -> None:
    made = User.objects.bulk_create(
        User(username=name, password="!", is_active=who.is_active, is_superuser=who.is_superuser)
        for name, who in world.people.items()
    )
    placed.people = {each.username: each for each in made}
    through = User.groups.through
    through.objects.bulk_create(
        through(user=placed.people[name], group=AuthGroup(pk=placed.groups[group].pk))
        for name, who in world.people.items()
        for group in sorted(who.groups)
    )


# ------------------------------------------------------------------------------ what befalls them


def befall(random: Random, world: World, placed: Placed) -> str:
    """One change, to the plain world and by the product's own code; says which."""
    event = random.choice(EVENTS)
    event(random, world, placed)
    return event.__name__.strip("_")


def _environment_created(random: Random, world: World, placed: Placed) -> None:
    if not world.applications:
        return
    application = random.choice(sorted(world.applications))
    name = f"{application} later {len(placed.environments)}"
    world.environments[name] = oracle.Environment(application, random.random() < 0.5)
    placed.environments[name] = Environment.objects.create(
        name=name,
        application=placed.applications[application],
        environment_type=kind_of(world.environments[name].is_production),
    )


def _environment_retyped(random: Random, world: World, placed: Placed) -> None:
    if not world.environments:
        return
    name = random.choice(sorted(world.environments))
    old = world.environments[name]
    world.environments[name] = oracle.Environment(old.application, not old.is_production)
    placed.environments[name].environment_type = kind_of(not old.is_production)
    placed.environments[name].save()


def _environment_deleted(random: Random, world: World, placed: Placed) -> None:
    if not world.environments:
        return
    # Rather one that is chosen by its name somewhere: there is more to go wrong.
    named = {name for row in _all_rows(world) for name in row.environments}
    name = random.choice(sorted(named or world.environments))
    placed.environments[name].delete()
    _forget_environment(world, name)


def _forget_environment(world: World, name: str) -> None:
    del world.environments[name]
    for row in _all_rows(world):
        row.environments.discard(name)


def _service_deleted(random: Random, world: World, placed: Placed) -> None:
    if world.services:
        named = {name for row in _all_rows(world) for name in row.services}
        name = random.choice(sorted(named or world.services))
        placed.services[name].delete()
        _forget_service(world, name)


def _forget_service(world: World, name: str) -> None:
    del world.services[name]
    for row in _all_rows(world):
        row.services.discard(name)


def _application_created(random: Random, world: World, placed: Placed) -> None:
    name = f"A later {len(placed.applications)}"
    world.applications.add(name)
    placed.applications[name] = Application.objects.create(name=name)


def _application_deleted(random: Random, world: World, placed: Placed) -> None:
    if len(world.applications) < 2:
        return
    name = random.choice(sorted(world.applications))
    placed.applications[name].delete()
    world.applications.discard(name)
    for each in [each for each, place in world.environments.items() if place.application == name]:
        _forget_environment(world, each)
    for each in [each for each, owner in world.services.items() if owner == name]:
        _forget_service(world, each)
    for row in _all_rows(world):
        (row.applications or set()).discard(name)


def _permissions_replaced(random: Random, world: World, placed: Placed) -> None:
    if not world.groups:
        return
    name = random.choice(sorted(world.groups))
    rows = [random_row(random, world) for _ in range(random.randint(0, 3))]
    world.groups[name] = Group(set(some(random, ACCOUNT, 0)), rows)
    wanted = placed.permissions(world.groups[name])
    administration.set_permissions(placed.groups[name], wanted, by=None)


def _row_added(random: Random, world: World, placed: Placed) -> None:
    if not world.groups:
        return
    name = random.choice(sorted(world.groups))
    row = random_row(random, world)
    world.groups[name].rows.append(row)
    more = Permissions(rows=(placed.plain(row),))
    administration.add_permissions(placed.groups[name], more, by=None)


def _group_deleted(random: Random, world: World, placed: Placed) -> None:
    if not world.groups:
        return
    name = random.choice(sorted(world.groups))
    administration.delete_group(placed.groups[name], by=None)
    del world.groups[name]
    for who in world.people.values():
        who.groups.discard(name)


def _members_changed(random: Random, world: World, placed: Placed) -> None:
    if not world.groups:
        return
    name = random.choice(sorted(world.groups))
    chosen = some(random, sorted(world.people), 0, 4)
    for person, who in world.people.items():
        (who.groups.add if person in chosen else who.groups.discard)(name)
    members = [placed.people[person] for person in chosen]
    administration.set_members(placed.groups[name], members, by=None)


def _person_deactivated(random: Random, world: World, placed: Placed) -> None:
    name = random.choice(sorted(world.people))
    if world.people[name].is_superuser:
        return  # who may be the last one to administer
    world.people[name].is_active = False
    administration.deactivate(placed.people[name], by=None, now=timezone.now())


def _person_reactivated(random: Random, world: World, placed: Placed) -> None:
    name = random.choice(sorted(world.people))
    world.people[name].is_active = True
    administration.reactivate(placed.people[name], by=None)


def _all_rows(world: World) -> Iterator[Row]:
    for group in world.groups.values():
        yield from group.rows


EVENTS: list[Callable[[Random, World, Placed], None]] = [
    _environment_created, _environment_created, _environment_retyped, _environment_retyped,
    _environment_deleted, _service_deleted, _application_created, _application_deleted,
    _permissions_replaced, _permissions_replaced, _row_added, _group_deleted, _members_changed,
    _person_deactivated, _person_reactivated,
]  # fmt: skip
