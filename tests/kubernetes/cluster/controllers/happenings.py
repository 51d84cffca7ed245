"""Events: what controllers tell people; a repeated one is counted."""

from typing import Any
from uuid import uuid4

from .. import clock
from .. import resources as r
from ..objects import Objects
from ..writing import Writing

Json = dict[str, Any]


def tell(
    objects: Objects, about: Json, reason: str, message: str, by: str, *, is_warning: bool = False
) -> None:
    """Write an Event, or raise the count of one that said the same."""
    namespace = about["metadata"].get("namespace", "default")
    for found in objects.store.all(r.EVENTS, namespace):
        same = (found["involvedObject"]["uid"], found["reason"], found["message"])
        if same == (about["metadata"]["uid"], reason, message):
            objects.edit(r.EVENTS, found, again, Writing(by))
            return
    objects.create(r.EVENTS, namespace, event(about, reason, message, by, is_warning), Writing(by))


def event(about: Json, reason: str, message: str, by: str, is_warning: bool) -> Json:
    """As it is told for the first time."""
    return {
        "metadata": {"name": f"{about['metadata']['name']}.{uuid4().hex[:16]}"},
        "involvedObject": _reference(about),
        "reason": reason,
        "message": message,
        "type": "Warning" if is_warning else "Normal",
        "count": 1,
        "firstTimestamp": clock.stamp(),
        "lastTimestamp": clock.stamp(),
        "source": {"component": by},
        "reportingComponent": by,
    }


def again(told: Json) -> None:
    """Count it once more, in place."""
    told["count"] += 1
    told["lastTimestamp"] = clock.stamp()


def _reference(obj: Json) -> Json:
    metadata = obj["metadata"]
    kept = ("namespace", "name", "uid", "resourceVersion")
    named = {each: metadata[each] for each in kept if each in metadata}
    return {"kind": obj["kind"], "apiVersion": obj["apiVersion"], **named}
