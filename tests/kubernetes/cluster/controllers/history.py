"""The replica sets a deployment leaves behind: one for each template, numbered."""

from typing import Any

from .pods import hash_of, reference
from .sizing import surge

Json = dict[str, Any]
HASH = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MOST = "deployment.kubernetes.io/max-replicas"
_NOT_HANDED_DOWN = {
    REVISION,
    HISTORY,
    DESIRED,
    MOST,
    "kubectl.kubernetes.io/last-applied-configuration",
    "deprecated.deployment.rollback.to",
}


def body(obj: Json, number: str, others: list[Json]) -> Json:
    """A replica set for the deployment's present template."""
    metadata, spec = obj["metadata"], obj["spec"]
    code = hash_of([spec["template"], obj.get("status", {}).get("collisionCount", 0)])
    labels = {**spec["template"]["metadata"]["labels"], HASH: code}
    selected = {**spec["selector"].get("matchLabels", {}), HASH: code}
    return {
        "metadata": {
            "name": f"{metadata['name']}-{code}",
            "labels": labels,
            "annotations": {**_handed_down(obj), REVISION: number, **sizes(spec)},
            "ownerReferences": [reference(obj)],
        },
        "spec": {
            "replicas": _first_replicas(spec, others),
            "minReadySeconds": spec.get("minReadySeconds", 0),
            "selector": {**spec["selector"], "matchLabels": selected},
            "template": {
                **spec["template"],
                "metadata": {**spec["template"]["metadata"], "labels": labels},
            },
        },
    }


def _first_replicas(spec: Json, others: list[Json]) -> int:
    """As many as there is room for beside the others."""
    replicas: int = spec["replicas"]
    total = sum(each["spec"]["replicas"] for each in others)
    if spec["strategy"]["type"] == "Recreate":
        return 0 if total else replicas
    room = replicas + surge(spec) - total
    return int(max(min(replicas, room), 0))


def annotations(obj: Json, new: Json, number: str) -> dict[str, str]:
    """What its newest replica set is to say; an old number goes into its history."""
    changed = {**_handed_down(obj), **sizes(obj["spec"])}
    before = revision(new)
    if before >= int(number):
        return changed
    noted = new["metadata"].get("annotations", {}).get(HISTORY, "")
    past = [*filter(None, noted.split(",")), str(before)]
    return changed | {REVISION: number} | ({HISTORY: ",".join(past)} if before else {})


def sizes(spec: Json) -> dict[str, str]:
    replicas = spec["replicas"]
    return {DESIRED: str(replicas), MOST: str(replicas + surge(spec))}


def template(each: Json) -> Json:
    template = each["spec"]["template"]
    labels = {key: value for key, value in template["metadata"]["labels"].items() if key != HASH}
    return {**template, "metadata": {**template["metadata"], "labels": labels}}


def _handed_down(obj: Json) -> dict[str, str]:
    annotations = obj["metadata"].get("annotations", {})
    return {key: value for key, value in annotations.items() if key not in _NOT_HANDED_DOWN}


def annotate(obj: Json, annotations: dict[str, str]) -> None:
    obj["metadata"].setdefault("annotations", {}).update(annotations)


def revision(each: Json) -> int:
    return int(each["metadata"].get("annotations", {}).get(REVISION, 0))
