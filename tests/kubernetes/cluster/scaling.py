"""The scale subresource: how many replicas of a workload there are, and are to be."""

from collections.abc import Callable
from typing import Any

from .objects import Edit

Json = dict[str, Any]
_SHOWN = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


def scale(workload: Json) -> Json:
    """The Scale of a deployment, a stateful set or a replica set."""
    spec, metadata = workload["spec"], workload["metadata"]
    selector = (spec.get("selector") or {}).get("matchLabels", {})
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: metadata[key] for key in _SHOWN if key in metadata},
        "spec": {"replicas": spec["replicas"]} if spec.get("replicas") else {},
        "status": {
            "replicas": workload.get("status", {}).get("replicas", 0),
            "selector": ",".join(f"{key}={value}" for key, value in selector.items()),
        },
    }


def rescaling(edit: Callable[[Json], Json]) -> Edit:
    """The edit of a workload that an edit of its Scale amounts to."""

    def changed(workload: Json) -> tuple[Json, None]:
        edited = edit(scale(workload))
        metadata = dict(workload["metadata"])
        if version := (edited.get("metadata") or {}).get("resourceVersion"):
            metadata["resourceVersion"] = version
        replicas = (edited.get("spec") or {}).get("replicas", 0)
        spec = {**workload["spec"], "replicas": replicas}
        return {**workload, "metadata": metadata, "spec": spec}, None

    return changed
