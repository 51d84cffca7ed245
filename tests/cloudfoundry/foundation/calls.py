"""A request on its way through the API, and the answers it can have."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from . import records as r
from .access import Caller
from .problems import missing, not_authorized, suspended, unprocessable, unreadable
from .state import State

Json = dict[str, Any]
R = TypeVar("R", bound=r.Record)

NAMES: dict[type[r.Record], str] = {
    r.ServiceInstance: "Service instance",
    r.Binding: "Service credential binding",
    r.Organization: "Organization",
}


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: Json | str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """`parts`: what stands for the braces of its path; header names are in lower case."""

    state: State
    caller: Caller
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    content: bytes
    parts: Mapping[str, str] = field(default_factory=dict)

    @property
    def body(self) -> Json:
        if not self.content:
            return {}
        try:
            found = json.loads(self.content)
        except ValueError:
            raise unreadable("invalid request body") from None
        if not isinstance(found, dict):
            raise unreadable("invalid request body")
        return found

    def require_keys(self, *known: str) -> Json:
        """The body, of which nothing is unknown."""
        body = self.body
        if unknown := sorted(set(body) - set(known)):
            listed = ", ".join(f"'{each}'" for each in unknown)
            raise unprocessable(f"Unknown field(s): {listed}")
        return body

    def seen(self, kind: type[R], guid: str | None = None) -> R:
        """Of a space that the caller may look into; anything else is not there."""
        found = self.state.find(kind, guid or self.parts["guid"])
        if found is None or not self.can_see(found):
            raise missing(NAMES.get(kind, kind.__name__))
        return found

    def can_see(self, record: r.Record) -> bool:
        return self.caller.can_read(self.state, self.state.space_of(record))

    def visible(self, kind: type[R]) -> list[R]:
        return [each for each in self.state.all(kind) if self.can_see(each)]

    def managed(self, kind: type[R], guid: str | None = None) -> R:
        """Of a space whose apps the caller may manage."""
        found = self.seen(kind, guid)
        self.require_manager(self.state.space_of(found))
        return found

    def written(self, kind: type[R], guid: str | None = None) -> R:
        """Of a space that the caller develops in."""
        found = self.seen(kind, guid)
        self.require_writer(self.state.space_of(found))
        return found

    def require_manager(self, space: r.Space) -> None:
        self._require(space, self.caller.can_manage_apps(self.state, space))

    def require_writer(self, space: r.Space) -> None:
        self._require(space, self.caller.can_write(self.state, space))

    def _require(self, space: r.Space, is_allowed: bool) -> None:
        """Nobody but an administrator changes anything in a suspended organization."""
        if not is_allowed:
            raise not_authorized()
        org = self.state.get(r.Organization, space.org)
        if org.is_suspended and not self.caller.user.is_admin:
            raise suspended()

    def require_secrets(self, record: r.Record) -> None:
        if not self.caller.can_read_secrets(self.state, self.state.space_of(record)):
            raise not_authorized()

    def related(self, name: str) -> str | None:
        """The GUID of a to-one relationship in the body."""
        relationships = self.body.get("relationships") or {}
        found = ((relationships.get(name) or {}).get("data") or {}).get("guid")
        return str(found) if found else None


def describe(record: r.Record, metadata: Any) -> None:
    """Labels and annotations as given; null takes one away."""
    for kind in ("labels", "annotations"):
        held: dict[str, str | None] = getattr(record, kind)
        for key, value in ((metadata or {}).get(kind) or {}).items():
            if value is None:
                held.pop(key, None)
            else:
                held[key] = value
