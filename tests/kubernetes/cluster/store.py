"""Objects, one version number for all of them, and a history that watches read.

What is stored is never changed in place: a write puts a new object there, so a reader may keep
what it got, and must not change it.
"""

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from .problems import expired
from .resources import Resource

Json = dict[str, Any]
HISTORY = 20_000


@dataclass(frozen=True, slots=True)
class Change:
    """One write; `before` is None for what is new, `after` for what is gone."""

    version: int
    resource: Resource
    before: Json | None
    after: Json | None

    @property
    def newest(self) -> Json:
        """The object as it is, or as it was last."""
        found = self.after or self.before
        assert found is not None
        return found


class Store:
    """Everything that is persisted. Hold `lock` around what must be one step."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.version = 1
        self.is_closed = False
        self._objects: dict[Resource, dict[str, dict[str, Json]]] = {}
        self._owned: dict[str, dict[str, tuple[Resource, str, str]]] = {}
        self._history: deque[Change] = deque(maxlen=HISTORY)

    def get(self, resource: Resource, namespace: str, name: str) -> Json | None:
        return self._objects.get(resource, {}).get(namespace, {}).get(name)

    def all(self, resource: Resource, namespace: str = "") -> list[Json]:
        """In the order of their names; everywhere if no namespace is named."""
        with self.lock:
            spaces = self._objects.get(resource, {})
            if namespace or not resource.namespaced:
                chosen = [spaces.get(namespace, {})]
            else:
                chosen = [spaces[each] for each in sorted(spaces)]
            return [space[name] for space in chosen for name in sorted(space)]

    def owned_by(self, uid: str) -> list[tuple[Resource, Json]]:
        """What names this object as an owner."""
        places = list(self._owned.get(uid, {}).values())
        found = ((each[0], self.get(*each)) for each in places)
        return [(resource, obj) for resource, obj in found if obj is not None]

    def put(self, resource: Resource, obj: Json) -> Json:
        """Write the object in a new version; the object as it was stored."""
        with self.lock:
            self.version += 1
            obj = {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(self.version)}}
            space = self._space(resource, obj)
            before = space.get(obj["metadata"]["name"])
            space[obj["metadata"]["name"]] = obj
            self._index(resource, before, obj)
            self._tell(Change(self.version, resource, before, obj))
            return obj

    def remove(self, resource: Resource, obj: Json) -> Json:
        """The object as it was last, in the version of its removal."""
        with self.lock:
            self.version += 1
            last = {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(self.version)}}
            before = self._space(resource, obj).pop(obj["metadata"]["name"])
            self._index(resource, before, None)
            self._tell(Change(self.version, resource, last, None))
            return last

    def since(self, version: int) -> Iterator[Change]:
        """What was written after this version; raises Refused if that is forgotten."""
        with self.lock:
            if version < self.oldest:
                raise expired(version, self.oldest)
            count = self.version - version
            return islice(list(islice(reversed(self._history), max(count, 0)))[::-1], count)

    @property
    def oldest(self) -> int:
        """The version from which on the history is complete."""
        return self.version - len(self._history)

    def forget(self) -> None:
        """Compact: no watch can begin in the past."""
        with self.lock:
            self._history.clear()
            self.changed.notify_all()

    def wait(self, version: int, seconds: float | None) -> None:
        """Until something was written after this version, the store is closed, or time is up."""
        with self.changed:
            self.changed.wait_for(lambda: self.version > version or self.is_closed, seconds)

    def close(self) -> None:
        with self.changed:
            self.is_closed = True
            self.changed.notify_all()

    def _space(self, resource: Resource, obj: Json) -> dict[str, Json]:
        namespace = obj["metadata"].get("namespace", "")
        return self._objects.setdefault(resource, {}).setdefault(namespace, {})

    def _index(self, resource: Resource, before: Json | None, after: Json | None) -> None:
        was, now = _owners(before), _owners(after)
        metadata = (after or before or {})["metadata"]
        place = (resource, metadata.get("namespace", ""), metadata["name"])
        for uid in was - now:
            self._owned[uid].pop(metadata["uid"], None)
            if not self._owned[uid]:
                del self._owned[uid]
        for uid in now - was:
            self._owned.setdefault(uid, {})[metadata["uid"]] = place

    def _tell(self, change: Change) -> None:
        self._history.append(change)
        self.changed.notify_all()


def _owners(obj: Json | None) -> set[str]:
    references = (obj or {}).get("metadata", {}).get("ownerReferences") or []
    return {each["uid"] for each in references}
