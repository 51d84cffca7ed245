"""What stands in a foundation before a platform comes: organizations, spaces, people, quotas."""

import itertools
from dataclasses import dataclass
from secrets import token_urlsafe

from . import records as r
from .state import State
from .uaa import Uaa

DOMAIN = "apps.example.test"
STACK = "cflinuxfs4"
_BUILDPACKS = ("binary_buildpack", "java_buildpack", "nodejs_buildpack", "python_buildpack")
_ORG_ROLES = ("organization_manager", "organization_auditor", "organization_user")


@dataclass(frozen=True)
class Place:
    """A space and the organization around it, by GUID and name; `domain`: for its routes."""

    space: str
    space_name: str
    org: str
    org_name: str
    domain: str
    domain_name: str = DOMAIN


@dataclass(frozen=True)
class Login:
    """Of a user with a password, or of a client with a secret."""

    user: str
    password: str


class Scenery:
    """Makes each thing under a name of its own."""

    def __init__(self, state: State, uaa: Uaa) -> None:
        self._state = state
        self._uaa = uaa
        self._numbers = itertools.count(1)
        self._everywhere: list[tuple[r.User, str]] = []
        self._domain = state.add(r.Domain(name=DOMAIN))
        state.add(r.Domain(name="apps.internal", is_internal=True))
        state.add(r.Stack(name=STACK))
        for name in _BUILDPACKS:
            state.add(r.Buildpack(name=name, stack=STACK))

    def place(self, name: str | None, of_org: r.Quota, of_space: r.Quota | None) -> Place:
        number = next(self._numbers)
        name = name or f"space-{number}"
        state = self._state
        quota = state.add(of_org)
        org = state.add(r.Organization(name=f"org-{number}", quota=quota.guid))
        if of_space is not None:
            of_space.org = org.guid
            state.add(of_space)
        inner = of_space.guid if of_space else None
        space = state.add(r.Space(name=name, org=org.guid, quota=inner))
        for user, role in self._everywhere:
            self.give(user, role, space)
        return Place(space.guid, name, org.guid, org.name, self._domain.guid)

    def login(self, role: str | None, spaces: list[r.Space] | None, kind: str) -> Login:
        """`spaces`: where they have the role; None is everywhere, also in what comes later."""
        name, secret = f"{role or 'nobody'}-{next(self._numbers)}", token_urlsafe(12)
        user = self._state.add(r.User(name=name, is_admin=role == "admin"))
        self._uaa.enter(user, secret, is_client=kind != "user", may_write=kind != "reader")
        if role is not None and not user.is_admin:
            self._place(user, role, spaces)
        return Login(name, secret)

    def _place(self, user: r.User, role: str, spaces: list[r.Space] | None) -> None:
        if spaces is None:
            self._everywhere.append((user, role))
        for space in self._state.all(r.Space) if spaces is None else spaces:
            self.give(user, role, space)

    def give(self, user: r.User, role: str, space: r.Space) -> None:
        """Whoever has a role in a space is a user of its organization, too."""
        if role not in _ORG_ROLES:
            self._state.add(r.Role(type=role, user=user.guid, space=space.guid))
            role = "organization_user"
        self._state.add(r.Role(type=role, user=user.guid, org=space.org))

    def take(self, name: str) -> None:
        """Every role of somebody."""
        for each in self._state.all(r.Role):
            if self._state.get(r.User, each.user).name == name:
                self._state.remove(each)
        self._everywhere = [each for each in self._everywhere if each[0].name != name]
