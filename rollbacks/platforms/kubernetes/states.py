"""What workloads say of themselves. Pure.

How far a rollout is: kubernetes.io/docs/concepts/workloads, and what `kubectl rollout status` asks.
"""

import hashlib
import json
from dataclasses import dataclass, replace
from typing import Any

from rollbacks.platforms.kubernetes import releases
from rollbacks.platforms.kubernetes.kinds import RELEASE, Object, pod_template

BY_HAND = "its updateStrategy is OnDelete: each pod is replaced once somebody deletes it"


@dataclass(frozen=True)
class Rollout:
    """`failed`: why the cluster has given up on it; empty while it has not.

    `reached` grows while there is progress.
    """

    is_done: bool
    message: str
    failed: str = ""
    reached: int = 0


def rollout_of(workload: Object) -> Rollout:
    """How far the cluster has brought the workload to what its spec says."""
    status = workload.get("status") or {}
    if int(status.get("observedGeneration") or 0) < int(workload["metadata"]["generation"]):
        return Rollout(False, "The cluster has not begun yet")
    found = _ROLLOUTS[workload["kind"]](workload["spec"], status)
    return replace(found, reached=sum(_count(status, name) for name in _COUNTED))


# Of each kind: how many pods are of the new template, and how many serve.
_COUNTED = (
    "updatedReplicas",
    "availableReplicas",
    "updatedNumberScheduled",
    "numberAvailable",
)


def _deployment(spec: dict[str, Any], status: dict[str, Any]) -> Rollout:
    wanted, updated = wanted_pods(spec), _count(status, "updatedReplicas")
    available = _count(status, "availableReplicas")
    said = f"{updated} of {wanted} updated, {available} available"
    conditions = {each["type"]: each for each in status.get("conditions") or ()}
    old = _count(status, "replicas") - updated
    if old <= 0 and updated >= wanted and available >= wanted:
        return Rollout(True, said)
    if spec.get("paused"):
        return Rollout(False, said, "its rollout is paused: kubectl rollout resume it")
    progressing = conditions.get("Progressing", {})
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        return Rollout(False, said, f"ProgressDeadlineExceeded: {progressing.get('message')}")
    refused = conditions.get("ReplicaFailure", {})
    if refused.get("status") == "True":
        return Rollout(False, f"{said}; {refused.get('reason')}: {refused.get('message')}")
    return Rollout(False, f"{said}, {old} earlier to go" if old > 0 else said)


def _stateful_set(spec: dict[str, Any], status: dict[str, Any]) -> Rollout:
    strategy = spec.get("updateStrategy") or {}
    wanted, ready = wanted_pods(spec), _count(status, "readyReplicas")
    is_by_hand = strategy.get("type") == "OnDelete"
    partition = 0 if is_by_hand else partition_of(spec)
    updated = _count(status, "updatedReplicas")
    said = f"{min(updated, wanted)} of {wanted} updated, {ready} ready"
    is_there = _count(status, "replicas") == wanted and ready >= wanted
    is_done = is_there and updated >= wanted - partition
    return Rollout(is_done, said, BY_HAND if is_by_hand and not is_done else "")


def partition_of(spec: dict[str, Any]) -> int:
    """How many pods of a StatefulSet, the first ones, are to stay as they are."""
    rolling = (spec.get("updateStrategy") or {}).get("rollingUpdate") or {}
    return int(rolling.get("partition") or 0)


def lacks_partition(stateful_set: Object) -> bool:
    """Whether its strategy is to roll, and says nothing more; 0 is only a default of all of it."""
    strategy = stateful_set["spec"].get("updateStrategy") or {}
    return strategy.get("type") == "RollingUpdate" and "rollingUpdate" not in strategy


def _daemon_set(spec: dict[str, Any], status: dict[str, Any]) -> Rollout:
    wanted, updated = (
        _count(status, "desiredNumberScheduled"),
        _count(status, "updatedNumberScheduled"),
    )
    available = _count(status, "numberAvailable")
    said = f"{updated} of {wanted} updated, {available} available"
    is_done = updated >= wanted and available >= wanted
    is_by_hand = (spec.get("updateStrategy") or {}).get("type") == "OnDelete"
    return Rollout(is_done, said, BY_HAND if is_by_hand and not is_done else "")


_ROLLOUTS = {
    "Deployment": _deployment,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
}


def wanted_pods(spec: dict[str, Any]) -> int:
    """How many pods a workload is to have; 1 where it does not say."""
    replicas = spec.get("replicas")
    return 1 if replicas is None else int(replicas)


def _count(status: dict[str, Any], name: str) -> int:
    return int(status.get(name) or 0)


def version_of(template: Object) -> str:
    """The version that pods of this template are of: ours, else the tag of the first image."""
    release = (template.get("metadata", {}).get("annotations") or {}).get(RELEASE)
    if release:
        return releases.version_of(str(release))
    images = [
        str(each.get("image", "")) for each in (template.get("spec") or {}).get("containers") or ()
    ]
    name, _, tag = (images[0] if images else "").partition("@")[0].rpartition(":")
    return tag if name and "/" not in tag else ""


def identity_of(workload: Object, **more: object) -> str:
    """What exactly runs: equal for two looks between which nothing was changed.

    How many pods there are is no part of it: an autoscaler may have come or gone in between.
    """
    spec = {name: part for name, part in workload["spec"].items() if name != "replicas"}
    text = json.dumps([spec, more], sort_keys=True)
    return f"{version_of(pod_template(workload))}:{hashlib.sha256(text.encode()).hexdigest()[:20]}"
