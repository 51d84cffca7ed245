"""From a request to what it does: one function per verb."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from . import access, clock, configurations, discovery, scaling
from . import resources as r
from .access import Question, User
from .apply import apply
from .conforming import conform
from .objects import Edit, Objects, same
from .owners import APPLY, Ownership
from .patches import json_patch, merge_patch, strategic_patch
from .problems import bad, missing, not_allowed, unsupported
from .reading import Reader
from .removal import Removed, remove
from .requests import Answer, Request, require_manager
from .resources import Place, Resource
from .writing import Writing

Json = dict[str, Any]
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_PATCHES = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
)


class Api:
    """Everything a client can ask for."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._store = objects.store
        self._reader = Reader(self._store)

    def answer(self, request: Request) -> Answer:
        """Raises Refused for what is not to be had."""
        if request.method == "GET" and (found := discovery.look(request.path)) is not None:
            return Answer(200, found)
        place = r.place(request.path)
        verb = _verb(request, place)
        self._authorize(request.user, verb, place)
        acts: dict[str, Callable[[Request, Place], Answer]] = {
            "get": self._get,
            "list": self._list,
            "watch": self._watch,
            "create": self._create,
            "update": self._update,
            "patch": self._patch,
            "delete": self._delete,
            "deletecollection": self._delete_all,
        }
        return acts[verb](request, place)

    def _authorize(self, user: User, verb: str, place: Place) -> None:
        resource = place.resource
        namespace = place.namespace or (place.name if resource is r.NAMESPACES else "")
        question = Question(
            verb, resource.group, resource.plural, place.subresource, namespace, place.name
        )
        access.check(self._store, user, question, resource)

    def _get(self, request: Request, place: Place) -> Answer:
        found = self._objects.get(place.resource, place.namespace, place.name)
        return Answer(200, scaling.scale(found) if place.subresource == "scale" else found)

    def _list(self, request: Request, place: Place) -> Answer:
        return Answer(200, self._reader.page(place.resource, place.namespace, request.query))

    def _watch(self, request: Request, place: Place) -> Answer:
        query = dict(request.query)
        if place.name:
            query["fieldSelector"] = f"metadata.name={place.name}"
        return Answer(200, {}, events=self._reader.watch(place.resource, place.namespace, query))

    def _create(self, request: Request, place: Place) -> Answer:
        if place.resource is r.ACCESS_REVIEWS:
            return Answer(201, self._review(request))
        if place.name:
            raise not_allowed()
        how = request.writing()
        obj = self._objects.create(place.resource, place.namespace, request.content(), how)
        return _written(201, obj, how)

    def _update(self, request: Request, place: Place) -> Answer:
        body = request.content()
        how = request.writing(place.subresource)
        if place.subresource == "scale":
            return self._rescale(place, lambda _: body, how)
        named = (body.get("metadata") or {}).get("name", "")
        if named != place.name:
            said = f"the name of the object ({named}) does not match the name on the URL"
            raise bad(f"{said} ({place.name})")
        return self._change(place, lambda _: same(body), how)

    def _patch(self, request: Request, place: Place) -> Answer:
        kind, patch = request.content_type.split(";")[0].strip(), request.content()
        how = request.writing(place.subresource, is_patch=True)
        if kind == "application/apply-patch+yaml":
            require_manager(request, place)
            return self._apply(request, place, patch, replace(how, operation=APPLY))
        patched = _patcher(kind, patch, place)
        if place.subresource == "scale":
            return self._rescale(place, patched, how)
        return self._change(place, lambda old: same(patched(old)), how)

    def _apply(self, request: Request, place: Place, wanted: Any, how: Writing) -> Answer:
        resource = place.resource
        wanted = configurations.read(wanted, place)
        if place.subresource == "scale":
            return self._rescale(place, lambda old: merge_patch(old, wanted), how)
        with self._store.lock:
            if self._store.get(resource, place.namespace, place.name) is None:
                if place.subresource:
                    raise missing(resource, place.name)
                self._authorize(request.user, "create", place)
                laid = apply({"metadata": {}}, wanted, resource.schema, how.owner(resource),
                             force=True, now=clock.stamp())  # fmt: skip
                wanted["metadata"].pop("resourceVersion", None)  # no condition of what is not there
                obj = self._objects.create(resource, place.namespace, wanted, how, laid.ownership)
                return _written(201, obj, how)
            return self._change(place, _applying(wanted, resource, how), how)

    def _change(self, place: Place, edit: Edit, how: Writing) -> Answer:
        resource, namespace, name = place.resource, place.namespace, place.name
        return _written(200, self._objects.change(resource, namespace, name, edit, how), how)

    def _rescale(self, place: Place, edit: Callable[[Json], Json], how: Writing) -> Answer:
        answer = self._change(place, scaling.rescaling(edit), how)
        assert isinstance(answer.body, dict)
        return replace(answer, body=scaling.scale(answer.body))

    def _delete(self, request: Request, place: Place) -> Answer:
        how = request.removing()
        removed = remove(self._objects, place.resource, place.namespace, place.name, how)
        return Answer(200, _farewell(removed, place.resource))

    def _delete_all(self, request: Request, place: Place) -> Answer:
        found = self._reader.page(place.resource, place.namespace, request.query)
        for each in found["items"]:
            metadata = each["metadata"]
            namespace = metadata.get("namespace", "")
            remove(self._objects, place.resource, namespace, metadata["name"], request.removing())
        return Answer(200, found)

    def _review(self, request: Request) -> Json:
        review = conform(request.content(), r.ACCESS_REVIEWS).obj
        asked = review.get("spec", {}).get("resourceAttributes") or {}
        question = Question(
            asked.get("verb", ""),
            asked.get("group", ""),
            asked.get("resource", ""),
            asked.get("subresource", ""),
            asked.get("namespace", ""),
            asked.get("name", ""),
        )
        is_allowed = access.is_allowed(self._store, request.user, question)
        review.setdefault("metadata", {})
        return {**review, "status": {"allowed": is_allowed}}


def _verb(request: Request, place: Place) -> str:
    if request.method == "GET":
        if request.is_watch:
            return "watch"
        return "get" if place.name else "list"
    verb = _VERBS.get(request.method)
    if verb is None or (not place.name and verb in ("update", "patch")):
        raise not_allowed()
    if verb == "create" and place.resource.namespaced and not place.namespace:
        raise not_allowed()
    return "deletecollection" if verb == "delete" and not place.name else verb


def _patcher(kind: str, patch: Any, place: Place) -> Callable[[Json], Json]:
    match kind:
        case "application/json-patch+json":
            return lambda old: json_patch(old, patch)
        case "application/merge-patch+json":
            return lambda old: merge_patch(old, patch)
        case "application/strategic-merge-patch+json":
            return lambda old: strategic_patch(old, patch, place.resource.schema)
        case _:
            raise unsupported(_PATCHES)


def _applying(wanted: Json, resource: Resource, how: Writing) -> Edit:
    def edit(old: Json) -> tuple[Json, Ownership]:
        applied = apply(
            old, wanted, resource.schema, how.owner(resource), force=how.force, now=clock.stamp()
        )
        metadata = dict(applied.obj["metadata"])
        for key in ("resourceVersion", "uid"):
            if key in wanted["metadata"]:
                metadata[key] = wanted["metadata"][key]
        return {**applied.obj, "metadata": metadata}, applied.ownership

    return edit


def _written(code: int, obj: Json, how: Writing) -> Answer:
    warnings = ", ".join(f"299 - {json.dumps(each)}" for each in how.warnings)
    return Answer(code, obj, {"Warning": warnings} if warnings else {})


def _farewell(removed: Removed, resource: Resource) -> Json:
    if not removed.is_gone or resource in (r.PODS, r.SERVICES):
        return removed.obj
    metadata = removed.obj["metadata"]
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {
            "name": metadata["name"],
            **({"group": resource.group} if resource.group else {}),
            "kind": resource.plural,
            "uid": metadata["uid"],
        },
    }
