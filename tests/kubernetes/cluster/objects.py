"""The verbs that write, as the server's registry does them: one door for clients and controllers.

A writer says how it writes (`Writing`); what is persisted always has owners of its fields, a
generation that counts changes of the spec, and a version that grows.
"""

from collections.abc import Callable
from copy import deepcopy
from typing import Any
from uuid import uuid4

from . import clock, validation
from . import resources as r
from .admission import Admission
from .conforming import conform, enforce
from .defaults import fill
from .fields import difference, ownable
from .owners import APPLY, Ownership
from .problems import Refused, already_there, invalid, missing
from .resources import Resource
from .store import Store
from .writes import check_kind, check_preconditions, give_name, keep, own
from .writing import Writing

Json = dict[str, Any]
Edit = Callable[[Json], tuple[Json, Ownership | None]]


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
        give_name(metadata, resource, namespace)
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
            check_preconditions(new["metadata"], old["metadata"], resource, name)
            keep(new, old, resource, how)
            fill(new, resource)
            if resource is r.SERVICES:
                self.admission.address(new, old)
            self._validate(new, old, resource)
            own(new, old, resource, how, ownership)
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
            keep(new, old, resource, how)
            own(new, old, resource, how, None)
            return self._persist(new, old, resource, how)

    def _understood(self, body: Json, resource: Resource, how: Writing) -> Json:
        check_kind(body, resource)
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


def same(edited: Json) -> tuple[Json, Ownership | None]:
    """The result of an edit that is no apply."""
    return edited, None
