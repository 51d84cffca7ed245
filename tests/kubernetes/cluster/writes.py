"""What every write respects: names, conditions, what an endpoint may not touch, and owners."""

import random
from copy import deepcopy
from typing import Any

from . import clock, validation
from . import resources as r
from .fields import difference, ownable
from .owners import Ownership
from .problems import bad, conflict, invalid
from .resources import Resource
from .writing import Writing

Json = dict[str, Any]
_CHANCE = random.SystemRandom()  # the global one is not for threads: property tests watch it
LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_KEPT = (
    "uid",
    "creationTimestamp",
    "generation",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
)


def suffix(length: int = 5) -> str:
    """As the server appends to a generateName."""
    return "".join(_CHANCE.choices(LETTERS, k=length))


def give_name(metadata: Json, resource: Resource, namespace: str) -> None:
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


def check_kind(body: Json, resource: Resource) -> None:
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


def check_preconditions(new: Json, old: Json, resource: Resource, name: str) -> None:
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


def keep(new: Json, old: Json, resource: Resource, how: Writing) -> None:
    """What this endpoint does not write stays as it was."""
    metadata = new["metadata"]
    managed = None if how.subresource else metadata.get("managedFields")
    for key in ("name", "namespace", "resourceVersion", "managedFields", *_KEPT):
        metadata.pop(key, None)
        if key in old["metadata"]:
            metadata[key] = old["metadata"][key]
    if managed:
        metadata["managedFields"] = [] if managed == [{}] else managed
    if "status" not in resource.subresources:
        return
    kept = (
        [key for key in old if key not in ("metadata", "status")]
        if how.is_of_status
        else ["status"]
    )
    for key in kept:
        if key in old:
            new[key] = old[key] if how.subresource else deepcopy(old[key])
        else:
            new.pop(key, None)
    if how.is_of_status and resource is r.DEPLOYMENTS and "labels" in old["metadata"]:
        metadata["labels"] = old["metadata"]["labels"]


def own(
    new: Json, old: Json, resource: Resource, how: Writing, ownership: Ownership | None
) -> None:
    """Note the owners of what changed, and count a change of the spec."""
    metadata = new["metadata"]
    if ownership is None and new != old:
        ownership = Ownership.of(new)
        in_status = how.is_of_status
        change = difference(
            ownable(old, status=in_status), ownable(new, status=in_status), resource.schema
        )
        ownership.take(how.owner(resource), change, clock.stamp())
    if ownership is not None:
        metadata["managedFields"] = ownership.entries()
    if not how.is_of_status and _is_new_generation(new, old, resource):
        metadata["generation"] = old["metadata"].get("generation", 0) + 1


def _is_new_generation(new: Json, old: Json, resource: Resource) -> bool:
    if not resource.counts_generations or new.get("spec") != old.get("spec"):
        return resource.counts_generations
    # Only deployments count their annotations, too.
    annotations = [each["metadata"].get("annotations") for each in (new, old)]
    return resource is r.DEPLOYMENTS and annotations[0] != annotations[1]
