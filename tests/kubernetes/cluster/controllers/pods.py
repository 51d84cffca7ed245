"""What workload controllers share: their pods, made from a template, owned, and counted."""

import hashlib
import json
from copy import deepcopy
from typing import Any

from .. import clock
from .. import resources as r
from ..objects import Objects
from ..removal import Removing, remove
from ..resources import Resource
from ..selectors import matches
from ..writes import LETTERS, suffix
from ..writing import Writing
from .conditions import find
from .loop import controller_of

Json = dict[str, Any]
BY = Writing("kube-controller-manager")


def hash_of(value: Any) -> str:
    """Ten letters that tell a template from others."""
    digest = hashlib.sha256(json.dumps(value, sort_keys=True).encode()).digest()
    return "".join(LETTERS[byte % len(LETTERS)] for byte in digest[:10])


def reference(owner: Json) -> Json:
    """The owner's entry in what it controls."""
    metadata = owner["metadata"]
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def pod(owner: Json, template: Json, labels: Json | None = None, name: str = "") -> Json:
    """A pod to be created."""
    metadata = deepcopy(template.get("metadata") or {})
    metadata["labels"] = {**metadata.get("labels", {}), **(labels or {})}
    metadata["ownerReferences"] = [reference(owner)]
    metadata.pop("creationTimestamp", None)
    metadata["name"] = name or f"{owner['metadata']['name'][:57]}-{suffix()}"
    if not name:
        metadata["generateName"] = f"{owner['metadata']['name']}-"
    return {"metadata": metadata, "spec": deepcopy(template["spec"])}


def claimed(objects: Objects, owner: Json, resource: Resource) -> list[Json]:
    """What the owner controls, after taking what has no controller and letting go what it no
    longer selects."""
    namespace, uid = owner["metadata"]["namespace"], owner["metadata"]["uid"]
    is_going = "deletionTimestamp" in owner["metadata"]
    selector = owner["spec"].get("selector")
    found = []
    for obj in objects.store.all(resource, namespace):
        controller = controller_of(obj)
        fits = matches(selector, obj["metadata"].get("labels"))
        if controller is None and fits and not is_going:
            if "deletionTimestamp" not in obj["metadata"]:
                found.append(objects.edit(resource, obj, lambda new: _adopt(new, owner), BY))
        elif controller and controller["uid"] == uid:
            if fits or is_going:
                found.append(obj)
            else:
                objects.edit(resource, obj, lambda new: disown(new, uid), BY)
    return found


def _adopt(obj: Json, owner: Json) -> None:
    obj["metadata"].setdefault("ownerReferences", []).append(reference(owner))


def disown(obj: Json, uid: str) -> None:
    """Take this owner away, in place."""
    kept = [each for each in obj["metadata"]["ownerReferences"] if each["uid"] != uid]
    obj["metadata"]["ownerReferences"] = kept
    if not kept:
        del obj["metadata"]["ownerReferences"]


def delete(objects: Objects, resource: Resource, obj: Json) -> None:
    metadata = obj["metadata"]
    remove(objects, resource, metadata.get("namespace", ""), metadata["name"], Removing())


def is_going(obj: Json) -> bool:
    return "deletionTimestamp" in obj["metadata"]


def is_over(each: Json) -> bool:
    """The pod has ended for good."""
    return each.get("status", {}).get("phase") in ("Failed", "Succeeded")


def is_active(each: Json) -> bool:
    return not is_going(each) and not is_over(each)


def is_ready(each: Json) -> bool:
    condition = find(each.get("status", {}), "Ready")
    return condition is not None and condition["status"] == "True"


def seconds_to_available(each: Json, min_ready: int) -> float | None:
    """0 if the pod is available; None as long as it is not even ready."""
    if not is_ready(each):
        return None
    if not min_ready:
        return 0
    condition = find(each["status"], "Ready")
    assert condition is not None
    return max(min_ready - clock.seconds_since(condition["lastTransitionTime"]), 0)


def is_available(each: Json, min_ready: int) -> bool:
    return seconds_to_available(each, min_ready) == 0


def soonest(pods: list[Json], min_ready: int) -> float | None:
    """Seconds until the next of these pods is available."""
    waits = (seconds_to_available(each, min_ready) for each in pods)
    return min((wait for wait in waits if wait), default=None)


def revisions(objects: Objects, owner: Json) -> list[Json]:
    """Its ControllerRevisions, oldest first."""
    owned = objects.store.owned_by(owner["metadata"]["uid"])
    found = [obj for resource, obj in owned if resource is r.REVISIONS]
    return sorted(found, key=lambda each: int(each["revision"]))


def revise(objects: Objects, owner: Json) -> tuple[list[Json], Json]:
    """All its revisions, and the one of its present template: an old one, raised, or a new one."""
    data = {"spec": {"template": {**owner["spec"]["template"], "$patch": "replace"}}}
    found = revisions(objects, owner)
    newest = int(found[-1]["revision"]) if found else 0
    same = next((each for each in found if each["data"] == data), None)
    if same is None:
        new = _new_revision(objects, owner, data, newest + 1)
        return [*found, new], new
    if int(same["revision"]) < newest:
        raised = objects.edit(r.REVISIONS, same, lambda new: new.update(revision=newest + 1), BY)
        return [*(each for each in found if each is not same), raised], raised
    return found, same


def _new_revision(objects: Objects, owner: Json, data: Json, number: int) -> Json:
    metadata = owner["metadata"]
    code = hash_of(data)
    labels = {**(owner["spec"]["template"].get("metadata") or {}).get("labels", {})}
    labels["controller-revision-hash" if owner["kind"] == "DaemonSet" else _STATEFUL_HASH] = code
    body = {
        "metadata": {
            "name": f"{metadata['name']}-{code}",
            "labels": labels,
            "ownerReferences": [reference(owner)],
        },
        "data": data,
        "revision": number,
    }
    return objects.create(r.REVISIONS, metadata["namespace"], body, BY)


_STATEFUL_HASH = "controller.kubernetes.io/hash"


def forget_revisions(objects: Objects, owner: Json, kept: set[str]) -> None:
    """Remove the oldest that nobody uses, beyond the limit of the history."""
    unused = [each for each in revisions(objects, owner) if each["metadata"]["name"] not in kept]
    surplus = len(unused) - owner["spec"].get("revisionHistoryLimit", 10)
    for each in unused[: max(surplus, 0)]:
        delete(objects, r.REVISIONS, each)
