"""Deleting, with preconditions, finalizers, grace and what becomes of dependents."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from . import clock
from . import resources as r
from .objects import Objects
from .problems import Refused, conflict
from .resources import Resource

Json = dict[str, Any]
_FINALIZER = {"Orphan": "orphan", "Foreground": "foregroundDeletion"}


@dataclass(frozen=True)
class Removing:
    """A request's DeleteOptions."""

    policy: str = "Background"
    preconditions: Json = field(default_factory=dict)
    grace: int | None = None
    dry_run: bool = False


@dataclass(frozen=True)
class Removed:
    """The object as it was last; `is_gone` unless something holds it."""

    obj: Json
    is_gone: bool


def remove(
    objects: Objects, resource: Resource, namespace: str, name: str, how: Removing
) -> Removed:
    """Delete it, or mark it for those who must finish first; raises Refused."""
    with objects.store.lock:
        old = objects.get(resource, namespace, name)
        _check(old["metadata"], how.preconditions, resource, name)
        metadata = dict(old["metadata"])
        finalizers = _finalizers(metadata, how.policy)
        grace = _grace(old, resource, how)
        if not finalizers and not grace and resource is not r.NAMESPACES:
            last = old if how.dry_run else objects.store.remove(resource, old)
            return Removed(last, is_gone=True)
        _mark(metadata, finalizers, grace)
        new = {**old, "metadata": metadata}
        if resource is r.NAMESPACES:
            new["status"] = {**old.get("status", {}), "phase": "Terminating"}
        if new != old and not how.dry_run:
            new = objects.store.put(resource, new)
        return Removed(new, is_gone=False)


def _mark(metadata: Json, finalizers: list[str], grace: int) -> None:
    """Say since when it is going, and count that as a change once."""
    if finalizers:
        metadata["finalizers"] = finalizers
    is_first = "deletionTimestamp" not in metadata
    if is_first:
        metadata["deletionTimestamp"] = clock.spelled(clock.now() + timedelta(seconds=grace))
        if metadata.get("generation"):
            metadata["generation"] += 1
    if is_first or grace < metadata.get("deletionGracePeriodSeconds", 0):
        metadata["deletionGracePeriodSeconds"] = grace


def _finalizers(metadata: Json, policy: str) -> list[str]:
    """What must be finished; the policy decides about those of the garbage collector."""
    present: list[str] = metadata.get("finalizers", [])
    if "deletionTimestamp" in metadata:
        return present
    others = [each for each in present if each not in _FINALIZER.values()]
    return others + ([_FINALIZER[policy]] if policy in _FINALIZER else [])


def _grace(old: Json, resource: Resource, how: Removing) -> int:
    """Only pods that a node runs are given time."""
    if resource is not r.PODS or not old["spec"].get("nodeName"):
        return 0
    if old.get("status", {}).get("phase") in ("Succeeded", "Failed"):
        return 0
    if how.grace is not None:
        return how.grace
    grace: int = old["spec"].get("terminationGracePeriodSeconds", 30)
    return grace


def _check(metadata: Json, preconditions: Json, resource: Resource, name: str) -> None:
    uid, version = preconditions.get("uid"), preconditions.get("resourceVersion")
    if uid not in (None, metadata["uid"]):
        raise _unmet(
            resource,
            name,
            f"the UID in the precondition ({uid}) does not match the UID in record "
            f"({metadata['uid']}). The object might have been deleted and then recreated",
        )
    if version not in (None, metadata["resourceVersion"]):
        raise _unmet(
            resource,
            name,
            f"the ResourceVersion in the precondition ({version}) does not match the "
            f"ResourceVersion in record ({metadata['resourceVersion']}). The object might have "
            "been modified",
        )


def _unmet(resource: Resource, name: str, why: str) -> Refused:
    return conflict(resource, name, why)
