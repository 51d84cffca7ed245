"""What was there before, and the exact way back to it. Pure.

What is kept of an object is its spec and those labels and annotations that the deployment sets:
others (a controller's annotations, an autoscaler's count) are left alone.
"""

import copy
from collections.abc import Mapping
from typing import Any

from rollbacks.platforms.kubernetes.kinds import MANAGER, Object, annotations, labels

Operation = dict[str, Any]


def kept(live: Object | None, manifest: Object) -> Object | None:
    """What a capture keeps of an object that the manifest is about to change."""
    if live is None:
        return None
    return {
        "spec": live["spec"],
        "labels": {name: labels(live).get(name) for name in labels(manifest)},
        "annotations": {name: annotations(live).get(name) for name in annotations(manifest)},
        "managers": _ours(live),
    }


def way_back(live: Object, was: Mapping[str, Any], *, is_scaled: bool = False) -> list[Operation]:
    """The JSON patch from what lives to what was; empty where nothing is to be changed.

    `is_scaled`: an autoscaler says how many pods; its count stays. The patch holds only for the
    very state that was read: a change in between is a conflict.
    """
    spec = copy.deepcopy(dict(was["spec"]))
    if is_scaled:
        spec.pop("replicas", None)
        if "replicas" in live["spec"]:
            spec["replicas"] = live["spec"]["replicas"]
    operations: list[Operation] = []
    if spec != live["spec"]:
        operations.append({"op": "replace", "path": "/spec", "value": spec})
    operations += _names_back("labels", labels(live), was["labels"])
    operations += _names_back("annotations", annotations(live), was["annotations"])
    return conditional(live, operations)


def conditional(live: Object, operations: list[Operation]) -> list[Operation]:
    """The operations, on the condition that the object is still as it was read."""
    if not operations:
        return []
    version = live["metadata"]["resourceVersion"]
    return [
        {"op": "replace", "path": "/metadata/resourceVersion", "value": version},
        *operations,
    ]


def _names_back(
    part: str, has: Mapping[str, str], had: Mapping[str, str | None]
) -> list[Operation]:
    operations: list[Operation] = []
    for name, value in had.items():
        path = f"/metadata/{part}/{escaped(name)}"
        if value is None and name in has:
            operations.append({"op": "remove", "path": path})
        elif value is not None and has.get(name) != value:
            operations.append({"op": "add", "path": path, "value": value})
    if not has and operations:
        # Nothing can be added to what is not there.
        return [{"op": "add", "path": f"/metadata/{part}", "value": {}}, *operations]
    return operations


def escaped(name: str) -> str:
    """The name as a part of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def ownership(live: Object, was: Mapping[str, Any]) -> list[Operation]:
    """The JSON patch after which we own exactly the fields that we owned then.

    A patch makes us the owner, as one who updates, of all that it changes. The next deployment
    applies, and could neither change that without a conflict nor take away what it leaves out.
    """
    if _ours(live) == was["managers"]:
        return []
    fields = live["metadata"].get("managedFields") or []
    value = [each for each in fields if not _is_ours(each)] + list(was["managers"])
    # An empty list would mean "as it is"; one empty entry, that nobody owns anything.
    way = {"op": "add", "path": "/metadata/managedFields", "value": value or [{}]}
    return conditional(live, [way])


def _ours(live: Object) -> list[dict[str, Any]]:
    fields = live["metadata"].get("managedFields") or []
    ours = [each for each in fields if _is_ours(each)]
    return [{name: part for name, part in each.items() if name != "time"} for each in ours]


def _is_ours(entry: Mapping[str, Any]) -> bool:
    return entry.get("manager") == MANAGER and not entry.get("subresource")
