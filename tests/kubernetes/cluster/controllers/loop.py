"""One thread that lets every controller look at what changed, or at what it asked to see again."""

import heapq
import itertools
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar

from .. import resources as r
from ..objects import Objects
from ..problems import Refused
from ..resources import Resource
from ..store import Change
from .fate import Timing

Json = dict[str, Any]
Key = tuple[str, str]
RETRY_SECONDS = 0.1


class Controller(ABC):
    """Looks at one object at a time, and does what is missing; whether it was told why or not."""

    resource: ClassVar[Resource]
    dependents: ClassVar[tuple[Resource, ...]] = ()

    def __init__(self, objects: Objects, timing: Timing) -> None:
        self.objects = objects
        self.store = objects.store
        self.timing = timing

    def keys(self, change: Change) -> Iterable[Key]:
        """The objects to look at after a change: itself, or who controls it."""
        if change.resource is self.resource:
            yield key(change.newest)
        elif change.resource in self.dependents:
            for obj in (change.before, change.after):
                owner = controller_of(obj)
                if owner and owner["kind"] == self.resource.kind:
                    assert obj is not None
                    yield obj["metadata"]["namespace"], owner["name"]

    def look(self, place: Key) -> float | None:
        """Reconcile it if it is there; seconds until it is to be seen again."""
        found = self.store.get(self.resource, *place)
        return None if found is None else self.reconcile(found)

    @abstractmethod
    def reconcile(self, obj: Json) -> float | None: ...


def key(obj: Json) -> Key:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def controller_of(obj: Json | None) -> Json | None:
    """The owner that manages it."""
    references = ((obj or {}).get("metadata") or {}).get("ownerReferences") or []
    return next((each for each in references if each.get("controller")), None)


class Loop:
    """Runs from start() until the store is closed."""

    def __init__(self, objects: Objects, controllers: Iterable[Controller]) -> None:
        self._store = objects.store
        self._controllers = list(controllers)
        self._version = 0
        self._ready: dict[tuple[Controller, Key], None] = {}
        self._later: list[tuple[float, int, Controller, Key]] = []
        self._order = itertools.count()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def join(self) -> None:
        """Wait for its end, and raise what went wrong in it."""
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            while not self._store.is_closed:
                self._notice()
                self._work()
                self._store.wait(self._version, self._seconds_left())
        except Exception as error:
            self._failure = error

    def _notice(self) -> None:
        with self._store.lock:
            changes, self._version = self._changes(), self._store.version
        for change in changes:
            for controller in self._controllers:
                for place in controller.keys(change):
                    self._ready[controller, place] = None
        while self._later and self._later[0][0] <= time.monotonic():
            _, _, controller, place = heapq.heappop(self._later)
            self._ready[controller, place] = None

    def _changes(self) -> list[Change]:
        try:
            return list(self._store.since(self._version))
        except Refused:
            return [
                Change(self._store.version, resource, None, obj)
                for resource in r.ALL
                for obj in self._store.all(resource)
            ]

    def _work(self) -> None:
        ready, self._ready = self._ready, {}
        for controller, place in ready:
            try:
                with self._store.lock:
                    seconds = controller.look(place)
            except Refused:
                seconds = RETRY_SECONDS
            if seconds is not None:
                due = time.monotonic() + seconds
                heapq.heappush(self._later, (due, next(self._order), controller, place))

    def _seconds_left(self) -> float | None:
        return max(self._later[0][0] - time.monotonic(), 0) if self._later else None
