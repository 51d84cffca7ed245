"""Who may do what: roles in organizations and spaces, as the Cloud Controller reads them."""

from dataclasses import dataclass

from . import records as r
from .state import State

_READ = {"space_developer", "space_manager", "space_auditor", "space_supporter"}
_MANAGE = {"space_developer", "space_supporter"}
_WRITE = {"space_developer"}


@dataclass(frozen=True)
class Caller:
    """Somebody with a token; `may_write`: whether the token's scopes allow changes."""

    user: r.User
    may_write: bool = True

    def can_read(self, state: State, space: r.Space) -> bool:
        is_manager = self._org_roles(state, space.org) & {"organization_manager"}
        return bool(self.user.is_admin or is_manager or self._roles(state, space) & _READ)

    def can_manage_apps(self, state: State, space: r.Space) -> bool:
        """Start, stop, scale, deploy, map routes, set variables."""
        return bool(self.user.is_admin or self._roles(state, space) & _MANAGE)

    def can_write(self, state: State, space: r.Space) -> bool:
        return bool(self.user.is_admin or self._roles(state, space) & _WRITE)

    def can_read_variables(self, state: State, space: r.Space) -> bool:
        return self.can_manage_apps(state, space)

    def can_read_secrets(self, state: State, space: r.Space) -> bool:
        return self.can_write(state, space)

    def can_read_org(self, state: State, org: r.Organization) -> bool:
        spaces = [each for each in state.all(r.Space) if each.org == org.guid]
        is_inside = any(self._roles(state, each) for each in spaces)
        return self.user.is_admin or bool(self._org_roles(state, org.guid)) or is_inside

    def _roles(self, state: State, space: r.Space) -> set[str]:
        mine = (each for each in state.all(r.Role) if each.user == self.user.guid)
        return {each.type for each in mine if each.space == space.guid}

    def _org_roles(self, state: State, org: str) -> set[str]:
        mine = (each for each in state.all(r.Role) if each.user == self.user.guid)
        return {each.type for each in mine if each.org == org}
