"""Lists, in pages of one moment, and watches."""

import json
import threading
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import uuid4

from . import selectors
from .problems import Refused, bad
from .resources import Resource
from .store import Change, Store

Json = dict[str, Any]
Query = Mapping[str, str]
Test = Callable[[Json], bool]
# When a watch that asks for bookmarks gets them: now and then, and so long before it ends.
BOOKMARK_SECONDS, LAST_BOOKMARK_SECONDS = 60.0, 2.0
WATCH_SECONDS = 1800.0
_PAGED = 200


class Reader:
    """Answers GET of collections; remembers what the next pages of a list consist of."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rests: dict[str, tuple[int, list[Json]]] = {}
        self._lock = threading.Lock()

    def page(self, resource: Resource, namespace: str, query: Query) -> Json:
        """Raises Refused for a selector that cannot be read, or a page that is forgotten."""
        test = _test(resource, query)
        if token := query.get("continue"):
            version, found = self._rest(token)
        else:
            with self._store.lock:
                version, found = self._store.version, self._store.all(resource, namespace)
            found = [each for each in found if test(each)]
        metadata: Json = {"resourceVersion": str(version)}
        limit = int(query.get("limit") or 0)
        if limit and len(found) > limit:
            metadata["continue"] = self._keep(version, found[limit:])
            if not (query.get("labelSelector") or query.get("fieldSelector")):
                metadata["remainingItemCount"] = len(found) - limit
            found = found[:limit]
        return {
            "kind": f"{resource.kind}List",
            "apiVersion": resource.api_version,
            "metadata": metadata,
            "items": [_without_type(each) for each in found],
        }

    def watch(self, resource: Resource, namespace: str, query: Query) -> Iterator[Json | None]:
        """Events without end; None when there is nothing to say for a while."""
        test = _test(resource, query)
        if not (query.get("resourceVersion") or "0").isdecimal():
            raise bad(f'Invalid value: "{query["resourceVersion"]}": invalid resource version')
        seconds = float(query.get("timeoutSeconds") or WATCH_SECONDS)
        return self._watch(resource, namespace, query, test, time.monotonic() + seconds)

    def _watch(
        self, resource: Resource, namespace: str, query: Query, test: Test, deadline: float
    ) -> Iterator[Json | None]:
        version = int(query.get("resourceVersion") or 0)
        marks = query.get("allowWatchBookmarks") in ("true", "1")
        if not version or query.get("sendInitialEvents") == "true":
            with self._store.lock:
                version, found = self._store.version, self._store.all(resource, namespace)
            yield from (_event("ADDED", each) for each in found if test(each))
            if query.get("sendInitialEvents") == "true" and marks:
                yield _bookmark(resource, version, {"k8s.io/initial-events-end": "true"})
        yield None
        marked, mark_at = version, _mark_at(deadline)
        while not self._store.is_closed and (now := time.monotonic()) < deadline:
            self._store.wait(version, min(deadline, mark_at) - now)
            try:
                changes = list(self._store.since(version))
            except Refused as refused:
                yield {"type": "ERROR", "object": refused.status}
                return
            yield from _events(changes, resource, namespace, test)
            version = changes[-1].version if changes else version
            if time.monotonic() >= mark_at:
                mark_at = _mark_at(deadline)
                if marks and version > marked:
                    marked = version
                    yield _bookmark(resource, version)

    def _keep(self, version: int, rest: list[Json]) -> str:
        key = uuid4().hex
        with self._lock:
            self._rests[key] = (version, rest)
            while len(self._rests) > _PAGED:
                del self._rests[next(iter(self._rests))]
        return urlsafe_b64encode(
            json.dumps({"v": "meta.k8s.io/v1", "start": key}).encode()
        ).decode()

    def _rest(self, token: str) -> tuple[int, list[Json]]:
        try:
            key = json.loads(urlsafe_b64decode(token))["start"]
        except (ValueError, KeyError):
            raise Refused(400, "BadRequest", "continue key is not valid") from None
        with self._lock:
            found = self._rests.get(key)
        if found is None or found[0] < self._store.oldest:
            raise Refused(
                410,
                "Expired",
                "The provided continue parameter is too old to display a consistent list result. "
                "You can start a new list without the continue parameter.",
            )
        return found


def _test(resource: Resource, query: Query) -> Test:
    labels = selectors.by_labels(query.get("labelSelector", ""))
    fields = selectors.by_fields(query.get("fieldSelector", ""), resource.kind)
    return lambda obj: labels(obj) and fields(obj)


def _events(
    changes: list[Change], resource: Resource, namespace: str, test: Test
) -> Iterator[Json]:
    """What a watch sees: an object that enters the selection is new, one that leaves it gone."""
    for change in changes:
        if change.resource is not resource:
            continue
        if namespace and change.newest["metadata"].get("namespace") != namespace:
            continue
        was = change.before is not None and test(change.before)
        if change.after is not None and test(change.after):
            yield _event("MODIFIED" if was else "ADDED", change.after)
        elif was:
            yield _event("DELETED", _last(change))


def _last(change: Change) -> Json:
    assert change.before is not None
    metadata = {**change.before["metadata"], "resourceVersion": str(change.version)}
    return {**change.before, "metadata": metadata}


def _event(kind: str, obj: Json) -> Json:
    return {"type": kind, "object": obj}


def _mark_at(deadline: float) -> float:
    now, last = time.monotonic(), deadline - LAST_BOOKMARK_SECONDS
    return min(now + BOOKMARK_SECONDS, last if last > now else deadline)


def _bookmark(resource: Resource, version: int, annotations: Json | None = None) -> Json:
    metadata: Json = {"resourceVersion": str(version), "creationTimestamp": None}
    metadata |= {"annotations": annotations} if annotations else {}
    obj = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata}
    return _event("BOOKMARK", obj)


def _without_type(obj: Json) -> Json:
    return {key: value for key, value in obj.items() if key not in ("kind", "apiVersion")}
