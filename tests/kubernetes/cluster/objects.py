"""The verbs that write, as the server's registry does them: one door for clients and controllers.

A writer says how it writes (`Writing`); what is persisted always has owners of its fields, a
generation that counts changes of the spec, and a version that grows.
"""

import random
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from . import clock, validation
from . import resources as r
from .admission import Admission
from .conforming import conform, enforce
from .defaults import fill
from .fields import difference, ownable
from .owners import APPLY, UPDATE, Manager, Ownership
from .problems import Refused, already_there, bad, conflict, invalid, missing
from .resources import Resource
from .store import Store

Json = dict[str, Any]
Edit = Callable[[Json], tuple[Json, Ownership | None]]
_KEPT = (
    "uid",
    "creationTimestamp",
    "generation",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
)
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


@dataclass(frozen=True)
class Writing:
    """Who writes, and how."""

    manager: str = "unknown"
    operation: str = UPDATE
    subresource: str = ""
    dry_run: bool = False
    force: bool = False
    strictness: str = "Warn"
    is_patch: bool = False
    warnings: list[str] = field(default_factory=list)

    def owner(self, resource: Resource) -> Manager:
        return Manager(self.operation, self.manager, resource.api_version, self.subresource)


class Objects:
    """Creates and changes what is in the store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.admission = Admission(store)

    def get(self, resource: Resource, namespace: str, name: str) -> Json:
        """Raises Refused if it is not there."""
        found = self.store.get(resource, namespace, name)
        if found is None:
            raise missing(resource, name)
        return found

    def create(
        self,
        resource: Resource,
        namespace: str,
        body: Json,
        how: Writing,
        ownership: Ownership | None = None,
    ) -> Json:
        obj = self._understood(body, resource, how)
        metadata = obj["metadata"]
        _name(metadata, resource, namespace)
        if metadata.get("resourceVersion"):
            raise Refused(500, "", "resourceVersion should not be set on objects to be created")
        if "status" in resource.subresources:
            obj.pop("status", None)
        fill(obj, resource)
        self._validate(obj, None, resource)
        with self.store.lock:
            self.admission.admit(obj, resource)
            if self.store.get(resource, namespace, metadata["name"]) is not None:
                raise already_there(resource, metadata["name"])
            metadata.update(uid=str(uuid4()), creationTimestamp=clock.stamp())
            metadata.pop("deletionTimestamp", None)
            if resource.counts_generations:
                metadata["generation"] = 1
            ownership = ownership or Ownership({}, {})
            if how.operation != APPLY:
                change = difference({}, ownable(obj), resource.schema)
                ownership.take(how.owner(resource), change, clock.stamp())
            metadata["managedFields"] = ownership.entries()
            return obj if how.dry_run else self.store.put(resource, obj)

    def change(
        self, resource: Resource, namespace: str, name: str, edit: Edit, how: Writing
    ) -> Json:
        """Write what `edit` makes of the object; an edit that changes nothing writes nothing."""
        with self.store.lock:
            old = self.get(resource, namespace, name)
            edited, ownership = edit(old)
            new = self._understood(edited, resource, how)
            _check_preconditions(new["metadata"], old["metadata"], resource, name)
            _keep(new, old, resource, how)
            fill(new, resource)
            if resource is r.SERVICES:
                self.admission.address(new)
            self._validate(new, old, resource)
            _own(new, old, resource, how, ownership)
            return self._persist(new, old, resource, how)

    def set_status(self, resource: Resource, obj: Json, status: Json, manager: str) -> Json:
        """A controller's write of a status; nothing happens if it is the same."""
        if obj.get("status") == status:
            return obj
        how = Writing(manager, subresource="status")
        return self.edit(resource, obj, lambda new: new.update(status=status), how)

    def edit(
        self, resource: Resource, obj: Json, change: Callable[[Json], Any], how: Writing
    ) -> Json:
        """A controller's write: `change` works on a copy of the object that it may alter."""
        with self.store.lock:
            old = self.get(resource, obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
            new = deepcopy(old)
            change(new)
            _keep(new, old, resource, how)
            _own(new, old, resource, how, None)
            return self._persist(new, old, resource, how)

    def _understood(self, body: Json, resource: Resource, how: Writing) -> Json:
        _check_kind(body, resource)
        found = conform(body, resource)
        how.warnings.extend(enforce(found, resource, how.strictness, is_patch=how.is_patch))
        found.obj.setdefault("metadata", {})
        return found.obj

    def _validate(self, obj: Json, before: Json | None, resource: Resource) -> None:
        if found := validation.causes(obj, before, resource):
            raise invalid(resource, obj["metadata"]["name"], found)

    def _persist(self, new: Json, old: Json, resource: Resource, how: Writing) -> Json:
        metadata = new["metadata"]
        is_held = metadata.get("finalizers") or metadata.get("deletionGracePeriodSeconds")
        if "deletionTimestamp" in metadata and not is_held and resource is not r.NAMESPACES:
            return new if how.dry_run else self.store.remove(resource, new)
        if new == old or how.dry_run:
            return new
        return self.store.put(resource, new)


def suffix(length: int = 5) -> str:
    """As the server appends to a generateName."""
    return "".join(random.choices(_LETTERS, k=length))


def same(edited: Json) -> tuple[Json, Ownership | None]:
    """The result of an edit that is no apply."""
    return edited, None


def _name(metadata: Json, resource: Resource, namespace: str) -> None:
    if not metadata.get("name") and (prefix := metadata.get("generateName")):
        metadata["name"] = prefix + suffix()
    if not metadata.get("name"):
        cause = validation.required("metadata.name", "name or generateName is required")
        raise invalid(resource, "", [cause])
    if not resource.namespaced:
        return
    if metadata.get("namespace", namespace) != namespace:
        raise bad(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    metadata["namespace"] = namespace


def _check_kind(body: Json, resource: Resource) -> None:
    if not isinstance(body, dict):
        raise bad("the object provided is unrecognized (must be of type " + resource.kind + ")")
    given = (body.get("apiVersion", resource.api_version), body.get("kind", resource.kind))
    if given != (resource.api_version, resource.kind):
        raise bad(
            f'{given[1]} in version "{given[0].rpartition("/")[2]}" cannot be handled as a '
            f"{resource.kind}: the API version in the data ({given[0]}) or the kind does not "
            f"match the expected API version ({resource.api_version})"
        )
    body.setdefault("apiVersion", resource.api_version)
    body.setdefault("kind", resource.kind)


def _check_preconditions(new: Json, old: Json, resource: Resource, name: str) -> None:
    if new.get("resourceVersion") not in (None, "", old["resourceVersion"]):
        raise conflict(resource, name)
    if new.get("uid") not in (None, "", old["uid"]):
        uids = f"UID in precondition: {new['uid']}, UID in object meta: {old['uid']}"
        raise conflict(resource, name, f"Precondition failed: {uids}")
    if new.get("name") != old["name"]:
        raise invalid(
            resource,
            name,
            [validation.wrong("metadata.name", new.get("name"), "field is immutable")],
        )


def _keep(new: Json, old: Json, resource: Resource, how: Writing) -> None:
    """What this endpoint does not write stays as it was."""
    metadata = new["metadata"]
    resets = metadata.get("managedFields") == [{}]
    for key in ("name", "namespace", "resourceVersion", "managedFields", *_KEPT):
        metadata.pop(key, None)
        if key in old["metadata"]:
            metadata[key] = old["metadata"][key]
    if resets:
        metadata["managedFields"] = []
    if "status" not in resource.subresources:
        return
    kept = (
        [key for key in old if key not in ("metadata", "status")] if _in_status(how) else ["status"]
    )
    for key in kept:
        if key in old:
            new[key] = old[key] if how.subresource else deepcopy(old[key])
        else:
            new.pop(key, None)
    if _in_status(how) and resource is r.DEPLOYMENTS and "labels" in old["metadata"]:
        metadata["labels"] = old["metadata"]["labels"]


def _in_status(how: Writing) -> bool:
    return how.subresource == "status"


def _own(
    new: Json, old: Json, resource: Resource, how: Writing, ownership: Ownership | None
) -> None:
    """Note the owners of what changed, and count a change of the spec."""
    metadata = new["metadata"]
    if ownership is None and new != old:
        ownership = Ownership.of(new)
        in_status = _in_status(how)
        change = difference(
            ownable(old, status=in_status), ownable(new, status=in_status), resource.schema
        )
        ownership.take(how.owner(resource), change, clock.stamp())
    if ownership is not None:
        metadata["managedFields"] = ownership.entries()
    if not _in_status(how) and _is_new_generation(new, old, resource):
        metadata["generation"] = old["metadata"].get("generation", 0) + 1


def _is_new_generation(new: Json, old: Json, resource: Resource) -> bool:
    if not resource.counts_generations or new.get("spec") != old.get("spec"):
        return resource.counts_generations
    # Only deployments count their annotations, too.
    annotations = [each["metadata"].get("annotations") for each in (new, old)]
    return resource is r.DEPLOYMENTS and annotations[0] != annotations[1]
