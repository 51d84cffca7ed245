"""Who may do what, by brute force over plain data: written from the reference, not from the code.

It knows of the product only the words of its API (reference 3.2, 3.3). Slow and obvious on purpose:
every question walks every row of every group of the person.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

CRUD = {"CREATE", "READ", "UPDATE", "DELETE"}
MANAGE_APPLICATIONS = "CREATE_AND_DELETE_APPLICATION"
# Reference 3.5: what a single action on deployments lets somebody do.
INCLUDED = {
    "READ": {"view"},
    "EXECUTE_PIPELINE": {"view", "execute pipelines"},
    "EXECUTE_WORKFLOW": {"view", "execute", "abort"},
    "ROLLBACK_WORKFLOW": {"view", "roll back"},
    "ABORT_WORKFLOW": {"view", "abort"},
}
DOINGS = ("view", "execute", "roll back", "abort")
FUTURE = "an application to come"


@dataclass(frozen=True)
class Environment:
    application: str
    is_production: bool


@dataclass
class Row:
    """One application permission, in the words of the API."""

    permission_type: str
    actions: set[str]
    applications: set[str] | None
    """None: filterType ALL."""
    filters: set[str] = field(default_factory=set)
    """EVERYTHING, PRODUCTION, NON_PRODUCTION, TEMPLATES."""
    environments: set[str] = field(default_factory=set)
    services: set[str] = field(default_factory=set)


@dataclass
class Group:
    account: set[str] = field(default_factory=set)
    rows: list[Row] = field(default_factory=list)


@dataclass
class Person:
    groups: set[str] = field(default_factory=set)
    is_active: bool = True
    is_superuser: bool = False


@dataclass
class World:
    """Everything by its name."""

    people: dict[str, Person] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    applications: set[str] = field(default_factory=set)
    environments: dict[str, Environment] = field(default_factory=dict)
    services: dict[str, str] = field(default_factory=dict)
    """Application by service."""

    def groups_of(self, person: str) -> list[Group]:
        """None of somebody who is deactivated."""
        who = self.people[person]
        return [self.groups[name] for name in who.groups] if who.is_active else []

    def rows_of(self, person: str) -> list[Row]:
        return [row for group in self.groups_of(person) for row in group.rows]


def expected(world: World, person: str, doing: str, environment: str) -> bool:
    """Whether the person may do one of DOINGS in the environment, by application permissions."""
    who, place = world.people[person], world.environments[environment]
    if who.is_superuser:
        return who.is_active
    return any(_row_lets(row, doing, environment, place) for row in world.rows_of(person))


def expected_account(world: World, person: str, permission: str) -> bool:
    who = world.people[person]
    if who.is_superuser:
        return who.is_active
    return any(permission in group.account for group in world.groups_of(person))


def expected_roll_back(world: World, person: str, environment: str) -> bool:
    """Rolling back needs both, possibly from two groups (acceptance A20 to A22)."""
    return expected_account(world, person, MANAGE_APPLICATIONS) and expected(
        world, person, "roll back", environment
    )


def expected_sight(world: World, person: str, application: str) -> bool:
    """Whether the person may see the application."""
    who = world.people[person]
    if who.is_superuser:
        return who.is_active
    return any(_row_shows(world, row, application) for row in world.rows_of(person))


def _row_lets(row: Row, doing: str, environment: str, place: Environment) -> bool:
    where = (place.application, environment, place.is_production)
    return any(
        doing in INCLUDED[action] and _row_reaches(row, "DEPLOYMENT", action, *where)
        for action in row.actions & INCLUDED.keys()
    )


def _row_reaches(
    row: Row, kind: str, action: str, application: str, thing: str, is_production: bool | None
) -> bool:
    """Whether it gives the action on the thing. Of what has no environment, None: neither type."""
    if action not in row.actions or not _reaches_application(row, application):
        return False
    if row.permission_type == "ALL" and action in CRUD:
        return True  # looking and editing are not narrowed (reference 4.2, semantics 6)
    if row.permission_type not in {"ALL", kind}:
        return False
    by_type = {True: "PRODUCTION", False: "NON_PRODUCTION", None: "TEMPLATES"}[is_production]
    return (
        "EVERYTHING" in row.filters
        or (kind in _OF_ENVIRONMENTS and by_type in row.filters)
        or thing in (row.services if kind == "SERVICE" else row.environments)
    )


def _reaches_application(row: Row, application: str) -> bool:
    return row.applications is None or application in row.applications


def _row_shows(world: World, row: Row, application: str) -> bool:
    if not _reaches_application(row, application):
        return False
    if row.filters or (row.permission_type == "ALL" and row.actions & CRUD):
        return True
    named = {world.environments[each].application for each in row.environments}
    return application in named | {world.services[each] for each in row.services}


# ------------------------------------------------------------------ what can be given to somebody

Right = tuple[str, ...]
"""(account permission,), (sees, application) or (type, doing, thing)"""

_OF_ENVIRONMENTS = {"ENV", "WORKFLOW", "PIPELINE", "DEPLOYMENT"}
_WITHOUT = {"PROVISIONER", "TEMPLATE"}


@dataclass(frozen=True)
class Thing:
    """What a permission may be about; `is_production` is None where there is no environment."""

    kind: str
    name: str
    application: str
    is_production: bool | None = None


def probes(application: str) -> Iterator[Thing]:
    """What could be created in the application later, one of each sort."""
    for kind in sorted(_OF_ENVIRONMENTS):
        for is_production, word in ((True, "production"), (False, "non-production")):
            yield Thing(kind, f"{application}: later {word}", application, is_production)
    yield Thing("WORKFLOW", f"{application}: later template", application)
    for kind in sorted(_WITHOUT | {"SERVICE"}):
        yield Thing(kind, f"{application}: later {kind}", application)


def things(world: World) -> list[Thing]:
    """Everything there is and could be, in every application there is and in one to come."""
    found = [
        Thing(kind, name, place.application, place.is_production)
        for name, place in world.environments.items()
        for kind in sorted(_OF_ENVIRONMENTS)
    ]
    found += [Thing("SERVICE", name, owner) for name, owner in world.services.items()]
    for application in sorted({*world.applications, FUTURE}):
        found += probes(application)
    return found


def rights_of_group(world: World, group: Group) -> set[Right]:
    """Every elementary right of somebody who is in this group alone."""
    held: set[Right] = {(each,) for each in group.account}
    for row in group.rows:
        held |= rights_of_row(world, row)
    return held


def rights_of_row(world: World, row: Row) -> set[Right]:
    """Every elementary right of somebody who has this row alone."""
    held: set[Right] = {
        ("sees", application)
        for application in {*world.applications, FUTURE}
        if _row_shows(world, row, application)
    }
    for thing in things(world):
        for action in row.actions:
            where = (thing.application, thing.name, thing.is_production)
            if _row_reaches(row, thing.kind, action, *where):
                held |= {(thing.kind, doing, thing.name) for doing in _doings(thing.kind, action)}
    return held


def _doings(kind: str, action: str) -> set[str]:
    if kind == "DEPLOYMENT":
        return INCLUDED.get(action, set())
    return {action} & CRUD
