"""All records of a foundation, found by kind and GUID, and what they are to each other."""

import threading
from collections.abc import Iterator
from typing import Any, TypeVar

from . import records as r
from .clock import Clock
from .fates import Fates
from .timing import Timing

R = TypeVar("R", bound=r.Record)


class State:
    """Only touched while `lock` is held; whoever takes it lets the clock catch up first."""

    def __init__(self, timing: Timing) -> None:
        self.lock = threading.RLock()
        self.clock = Clock()
        self.timing = timing
        self.fates = Fates(timing)
        self.url = self.login_url = ""
        self.instances: dict[str, Any] = {}  # of processes, by their GUID; kept by diego
        self.policies: dict[str, Any] = {}  # of the autoscaler, by the GUID of their app
        self.off: dict[str, str] = {}  # features that are turned off, and what people are told
        self.registries: dict[str, tuple[str, str]] = {}  # those that let in one user alone
        self._tables: dict[type[r.Record], dict[str, Any]] = {}
        self._by_app: dict[tuple[type[r.Record], str], dict[str, Any]] = {}

    def __enter__(self) -> "State":
        self.lock.acquire()
        self.clock.catch_up()
        return self

    def __exit__(self, *error: object) -> None:
        self.lock.release()

    def add(self, record: R) -> R:
        record.created = record.updated = self.clock.now
        self._tables.setdefault(type(record), {})[record.guid] = record
        if app := getattr(record, "app", None):
            self._by_app.setdefault((type(record), app), {})[record.guid] = record
        return record

    def touch(self, record: R) -> R:
        record.updated = self.clock.now
        return record

    def remove(self, record: r.Record) -> None:
        self._tables.get(type(record), {}).pop(record.guid, None)
        app = getattr(record, "app", "")
        self._by_app.get((type(record), app), {}).pop(record.guid, None)

    def find(self, kind: type[R], guid: str | None) -> R | None:
        return self._tables.get(kind, {}).get(guid) if guid else None

    def get(self, kind: type[R], guid: str | None) -> R:
        """What has to be there."""
        found = self.find(kind, guid)
        assert found is not None, f"{kind.__name__} {guid} is gone"
        return found

    def all(self, kind: type[R]) -> list[R]:
        """The oldest first."""
        return list(self._tables.get(kind, {}).values())

    def of_app(self, kind: type[R], app: r.App) -> list[R]:
        return list(self._by_app.get((kind, app.guid), {}).values())

    def processes(self, app: r.App, type_: str | None = None) -> list[r.Process]:
        """The oldest first; while a deployment runs there are several of type web."""
        found = self.of_app(r.Process, app)
        return [each for each in found if type_ in (None, each.type)]

    def process(self, app: r.App, type_: str) -> r.Process | None:
        """The newest of its type."""
        found = self.processes(app, type_)
        return found[-1] if found else None

    def space_of(self, record: Any) -> r.Space:
        if isinstance(record, r.Space):
            return record
        if hasattr(record, "app"):
            record = self.get(r.App, record.app)
        return self.get(r.Space, record.space)

    def active_deployments(self, app: r.App) -> Iterator[r.Deployment]:
        return (each for each in self.of_app(r.Deployment, app) if each.value == "ACTIVE")

    def is_deploying(self, app: r.App) -> bool:
        return any(each.state != "CANCELING" for each in self.active_deployments(app))

    def url_of(self, route: r.Route) -> str:
        domain = self.get(r.Domain, route.domain).name
        return f"{route.host}.{domain}{route.path}" if route.host else f"{domain}{route.path}"
