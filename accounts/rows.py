"""Application permissions as plain values: what a row says, whether it makes sense, what it covers.

Form, API, catalogue file and policy read the same `Row`, so that a row means the same everywhere.
Nothing here touches the database.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, replace
from enum import Enum

from accounts.vocabulary import (
    ACTIONS_OF_TYPE,
    BY_ENVIRONMENT,
    CRUD,
    INCLUDES,
    NEEDS_TOO,
    AccountPermission,
    Action,
    PermissionType,
)


class Scope(Enum):
    """A filter that names no object: what is created later falls under it too."""

    EVERYTHING = "everything"
    PRODUCTION = "production"
    NON_PRODUCTION = "non-production"
    TEMPLATES = "templates"


@dataclass(frozen=True)
class Place:
    """Where an environment stands: the two dimensions a row can match it on besides its id."""

    application: int
    is_production: bool

    @property
    def scope(self) -> Scope:
        return Scope.PRODUCTION if self.is_production else Scope.NON_PRODUCTION


@dataclass(frozen=True)
class Catalogue:
    """The ids rows may name, with where they stand. Ids are primary keys."""

    environments: Mapping[int, Place]
    services: Mapping[int, int]
    """Application by service."""


@dataclass(frozen=True)
class Row:
    """One application permission; it must match on every dimension."""

    permission_type: PermissionType
    actions: frozenset[Action]
    applications: frozenset[int] | None
    """None: every application, those created later included."""
    scopes: frozenset[Scope] = frozenset()
    environments: frozenset[int] = frozenset()
    services: frozenset[int] = frozenset()

    def problems(self) -> Iterator[tuple[str, str]]:
        """(field, sentence) for everything that makes no sense in it."""
        if not self.actions:
            yield "actions", "Choose at least one action."
        wrong = sorted(self.actions - ACTIONS_OF_TYPE[self.permission_type])
        if wrong:
            allowed = ", ".join(sorted(ACTIONS_OF_TYPE[self.permission_type]))
            kind = self.permission_type.value
            yield "actions", f"{', '.join(wrong)}: not an action of type {kind}. It has {allowed}."
        if self.applications is not None and not self.applications:
            yield "applications", "Choose applications, or all of them."
        yield from self._filter_problems()

    def _filter_problems(self) -> Iterator[tuple[str, str]]:
        kind = self.permission_type
        if not (self.scopes or self.environments or self.services):
            yield "filter", _ASK_FOR[kind]
        if Scope.EVERYTHING in self.scopes and (
            len(self.scopes) > 1 or self.environments or self.services
        ):
            yield "filter", "Everything, or a choice: not both."
        if self.services and kind != PermissionType.SERVICE:
            yield "filter", f"Services cannot be chosen for type {kind.value}."
        takes_environments = kind in BY_ENVIRONMENT or kind == PermissionType.ALL
        classes = self.scopes - {Scope.EVERYTHING, Scope.TEMPLATES}
        if (self.environments or classes) and not takes_environments:
            yield "filter", f"Environments cannot be chosen for type {kind.value}."
        if Scope.TEMPLATES in self.scopes and kind != PermissionType.WORKFLOW:
            yield "filter", f"Workflow templates cannot be chosen for type {kind.value}."

    def strangers(self, catalogue: Catalogue) -> frozenset[int]:
        """Chosen environments and services of applications that are not chosen."""
        if self.applications is None:
            return frozenset()
        return frozenset(
            each
            for each, application in self._named(catalogue).items()
            if application not in self.applications
        )

    def concrete(self) -> Iterator["Row"]:
        """The row as rows of single types; each says by itself what it covers.

        Under ALL the filter narrows what is done to deployments (execute, roll back, abort);
        looking and editing are not narrowed (reference 4.2, semantics 6).
        """
        kind = self.permission_type
        if kind != PermissionType.ALL:
            yield self
            return
        everything = frozenset({Scope.EVERYTHING})
        crud = self.actions & CRUD
        for each in PermissionType:
            if crud and each not in {PermissionType.ALL, PermissionType.DEPLOYMENT}:
                yield Row(each, crud, self.applications, everything)
        if Action.READ in crud:
            looking = frozenset({Action.READ})
            yield Row(PermissionType.DEPLOYMENT, looking, self.applications, everything)
        if self.actions - CRUD:
            yield replace(
                self, permission_type=PermissionType.DEPLOYMENT, actions=self.actions - CRUD
            )

    def visible_applications(self, among: Set[int], catalogue: Catalogue) -> Set[int]:
        """Those of the applications its group may see by it (a concrete row)."""
        reached = among if self.applications is None else among & self.applications
        return reached if self.scopes else reached & set(self._named(catalogue).values())

    def covers(self, environment: int, place: Place) -> bool:
        """Whether it covers the environment (a concrete row of a type filtered by environment).

        Nothing chosen covers nothing: a row must not widen when what it chose is deleted.
        """
        if self.applications is not None and place.application not in self.applications:
            return False
        return environment in self.environments or bool(
            self.scopes & {Scope.EVERYTHING, place.scope}
        )

    def _named(self, catalogue: Catalogue) -> dict[int, int]:
        """Application by id of what it names."""
        if self.permission_type == PermissionType.SERVICE:
            return {
                each: catalogue.services[each]
                for each in self.services
                if each in catalogue.services
            }
        return {
            each: catalogue.environments[each].application
            for each in self.environments
            if each in catalogue.environments
        }

    def atoms(self, catalogue: Catalogue) -> Iterator["Atom"]:
        """The smallest grants it is the sum of (a concrete row)."""
        for action in self.actions:
            for scope in self._scopes():
                for application in self.applications if self.applications is not None else (None,):
                    yield Atom(self.permission_type, action, application, scope)
            for each, application in self._named(catalogue).items():
                if self.applications is None or application in self.applications:
                    yield Atom(self.permission_type, action, application, each)

    def _scopes(self) -> frozenset[Scope]:
        if Scope.EVERYTHING not in self.scopes or self.permission_type not in BY_ENVIRONMENT:
            return self.scopes
        # An environment is always one or the other, so the two together are everything.
        both = {Scope.PRODUCTION, Scope.NON_PRODUCTION}
        if self.permission_type == PermissionType.WORKFLOW:
            both.add(Scope.TEMPLATES)
        return frozenset(both)


@dataclass(frozen=True)
class Atom:
    """One action on one type of thing in one application (or all: None), in one scope or place."""

    permission_type: PermissionType
    action: Action
    application: int | None
    where: Scope | int

    def wider(self, catalogue: Catalogue) -> Iterator["Atom"]:
        """Itself and every atom whose holder has all of this one."""
        wheres: list[Scope | int] = [self.where]
        if self.permission_type not in BY_ENVIRONMENT:
            wheres.append(Scope.EVERYTHING)
        elif isinstance(self.where, int):
            wheres.append(catalogue.environments[self.where].scope)
        actions = [self.action]
        if self.permission_type == PermissionType.DEPLOYMENT:
            actions = [action for action, includes in INCLUDES.items() if self.action in includes]
        for where in wheres:
            for action in actions:
                for application in {self.application, None}:
                    yield Atom(self.permission_type, action, application, where)


@dataclass(frozen=True)
class Permissions:
    """All that a group may do, or a person by all of their groups: a sum without any "not"."""

    account: frozenset[AccountPermission] = frozenset()
    rows: tuple[Row, ...] = ()

    def problems(self) -> Iterator[tuple[str, str]]:
        """(field, sentence) for the account permissions; rows speak for themselves."""
        for permission, other in NEEDS_TOO.items():
            if permission in self.account and other not in self.account:
                sentence = f"{permission.label} needs {other.label} too: choose both."
                yield "account_permissions", sentence

    def concrete(self) -> Iterator[Row]:
        for row in self.rows:
            yield from row.concrete()

    def says_the_same(self, other: "Permissions") -> bool:
        """Equal but for the order of the rows, which means nothing."""
        return self.account == other.account and Counter(self.rows) == Counter(other.rows)

    def beyond(self, held: "Permissions", catalogue: Catalogue) -> "Excess":
        """What is in here that somebody who holds `held` does not hold."""
        holding = {atom for row in held.concrete() for atom in row.atoms(catalogue)}
        atoms = {atom for row in self.concrete() for atom in row.atoms(catalogue)}
        missing = {atom for atom in atoms if holding.isdisjoint(atom.wider(catalogue))}
        return Excess(self.account - held.account, frozenset(missing))

    def __add__(self, other: "Permissions") -> "Permissions":
        return Permissions(self.account | other.account, (*self.rows, *other.rows))


NOTHING = Permissions()


@dataclass(frozen=True)
class Excess:
    """What somebody would give without holding it; false when there is none."""

    account: frozenset[AccountPermission]
    atoms: frozenset[Atom]

    def __bool__(self) -> bool:
        return bool(self.account or self.atoms)


def total(all_of_them: Iterable[Permissions]) -> Permissions:
    """The sum of several groups' permissions."""
    return sum(all_of_them, NOTHING)


_ENVIRONMENTS = "Choose production or non-production environments, or environments by name."
_ASK_FOR: dict[PermissionType, str] = {
    PermissionType.ALL: "Say for which environments: all, by type, or by name.",
    PermissionType.SERVICE: "Choose services, or all of them.",
    PermissionType.ENV: _ENVIRONMENTS,
    PermissionType.WORKFLOW: "Choose workflows by type of environment, templates or environments.",
    PermissionType.PIPELINE: "Choose pipelines by type of environment, or environments by name.",
    PermissionType.PROVISIONER: "Provisioners are granted all together: choose all.",
    PermissionType.DEPLOYMENT: _ENVIRONMENTS,
    PermissionType.TEMPLATE: "Templates are granted all together: choose all.",
}
