"""Who may do what: roles in organizations and spaces, as the Cloud Controller reads them."""

from dataclasses import dataclass

from . import records as r
from .state import State

_READ = {"space_developer", "space_manager", "space_auditor", "space_supporter"}
_EVENTS = {"space_developer", "space_auditor", "space_supporter"}
_MANAGE = {"space_developer", "space_supporter"}
_WRITE = {"space_developer"}


@dataclass
class Caller:
    """Somebody with a token; `may_write`: whether the token's scopes allow changes."""

    user: r.User
    may_write: bool = True
    _held: dict[str, set[str]] | None = None

    def can_read(self, state: State, space: r.Space) -> bool:
        is_manager = self._org_roles(state, space.org) & {"organization_manager"}
        return bool(self.user.is_admin or is_manager or self._roles(state, space) & _READ)

    def can_read_events(self, state: State, space: r.Space) -> bool:
        is_auditor = self._org_roles(state, space.org) & {"organization_auditor"}
        return bool(self.user.is_admin or is_auditor or self._roles(state, space) & _EVENTS)

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
        return self._of(state).get(space.guid, set())

    def _org_roles(self, state: State, org: str) -> set[str]:
        return self._of(state).get(org, set())

    def _of(self, state: State) -> dict[str, set[str]]:
        """By space and organization; found once, since a caller lives as long as its request."""
        if self._held is None:
            self._held = {}
            for each in state.all(r.Role):
                if each.user == self.user.guid:
                    self._held.setdefault(each.space or each.org or "", set()).add(each.type)
        return self._held
