"""What goes when an owner goes, and what empties a namespace."""

from collections.abc import Iterable
from typing import Any

from .. import resources as r
from ..objects import Objects
from ..removal import Removing, remove
from ..resources import Resource
from ..store import Change
from ..writing import Writing
from .fate import Timing
from .loop import Controller, Key
from .pods import delete, disown, is_going

Json = dict[str, Any]
_BY = Writing("kube-controller-manager")


class Owners(Controller):
    """Deletes dependents of what is gone, and finishes deletions that orphan or wait for them."""

    resource = r.PODS

    def __init__(self, objects: Objects, timing: Timing) -> None:
        super().__init__(objects, timing)
        self._owners: dict[Key, tuple[Resource, Json]] = {}

    def keys(self, change: Change) -> Iterable[Key]:
        """Owners are known by their uid, for another may have their name by now."""
        obj = change.newest
        uids = [each["uid"] for each in obj["metadata"].get("ownerReferences", [])]
        uid = obj["metadata"]["uid"]
        if change.after is None or is_going(obj):
            self._owners["", uid] = change.resource, obj
            yield "", uid
        for each in uids:
            yield "", each

    def look(self, place: Key) -> float | None:
        uid = place[1]
        dependents = self.store.owned_by(uid)
        owner = self._owner(uid)
        if owner is not None:
            self._finish(*owner, dependents)
        elif not dependents or self._is_gone(dependents[0][1], uid):
            self._owners.pop(place, None)
            for resource, obj in dependents:
                self._release(resource, obj, uid)
        return None

    def reconcile(self, obj: Json) -> float | None:
        return None

    def _owner(self, uid: str) -> tuple[Resource, Json] | None:
        """The owner as it is, if it is known to be going but still there."""
        if ("", uid) not in self._owners:
            return None
        resource, obj = self._owners["", uid]
        metadata = obj["metadata"]
        found = self.store.get(resource, metadata.get("namespace", ""), metadata["name"])
        return (resource, found) if found and found["metadata"]["uid"] == uid else None

    def _is_gone(self, dependent: Json, uid: str) -> bool:
        references = dependent["metadata"].get("ownerReferences", [])
        each = next(each for each in references if each["uid"] == uid)
        resource = r.of_kind(each["apiVersion"], each["kind"])
        if resource is None:
            return False
        namespace = dependent["metadata"].get("namespace", "") if resource.namespaced else ""
        found = self.store.get(resource, namespace, each["name"])
        return found is None or found["metadata"]["uid"] != uid

    def _finish(self, resource: Resource, owner: Json, dependents: list[Any]) -> None:
        finalizers = owner["metadata"].get("finalizers", [])
        uid = owner["metadata"]["uid"]
        if "orphan" in finalizers:
            for each, obj in dependents:
                self.objects.edit(each, obj, lambda new: disown(new, uid), _BY)
            self._drop(resource, owner, "orphan")
        elif "foregroundDeletion" in finalizers:
            for each, obj in dependents:
                if not is_going(obj):
                    policy = Removing(policy="Foreground")
                    remove(self.objects, each, *_place(obj), policy)
            if not self.store.owned_by(uid):
                self._drop(resource, owner, "foregroundDeletion")

    def _drop(self, resource: Resource, owner: Json, finalizer: str) -> None:
        def change(new: Json) -> None:
            kept = [each for each in new["metadata"]["finalizers"] if each != finalizer]
            new["metadata"]["finalizers"] = kept

        self.objects.edit(resource, owner, change, _BY)

    def _release(self, resource: Resource, obj: Json, uid: str) -> None:
        """Delete what has no other owner."""
        if len(obj["metadata"].get("ownerReferences", [])) > 1:
            self.objects.edit(resource, obj, lambda new: disown(new, uid), _BY)
        elif not is_going(obj):
            delete(self.objects, resource, obj)


class Namespaces(Controller):
    """A namespace has its account; one that is being deleted is emptied and then removed."""

    resource = r.NAMESPACES

    def keys(self, change: Change) -> Iterable[Key]:
        if change.after is None and change.resource.namespaced:
            return [("", change.newest["metadata"]["namespace"])]
        return super().keys(change)

    def reconcile(self, obj: Json) -> float | None:
        name = obj["metadata"]["name"]
        if not is_going(obj):
            if self.store.get(r.SERVICE_ACCOUNTS, name, "default") is None:
                account = {"metadata": {"name": "default"}}
                self.objects.create(r.SERVICE_ACCOUNTS, name, account, _BY)
            return None
        content = [
            (resource, each)
            for resource in r.ALL
            if resource.namespaced
            for each in self.store.all(resource, name)
        ]
        for resource, each in content:
            if not is_going(each):
                delete(self.objects, resource, each)
        if not content:
            self.store.remove(r.NAMESPACES, obj)
        return None


def _place(obj: Json) -> tuple[str, str]:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]
