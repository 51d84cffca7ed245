"""What workloads and pods say of themselves. Pure.

How far a rollout is: kubernetes.io/docs/concepts/workloads, and what `kubectl rollout status` asks.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from rollbacks.platforms.base import Member
from rollbacks.platforms.kubernetes import releases
from rollbacks.platforms.kubernetes.kinds import RELEASE, Object, labels, name_of, pod_template

BY_HAND = "its updateStrategy is OnDelete: each pod is replaced once somebody deletes it"
_COMING = {"ContainerCreating", "PodInitializing"}


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


def identity_of(workload: Object, *, is_scaled: bool, **more: object) -> str:
    """What exactly runs: equal for two looks between which nothing was changed.

    `is_scaled`: an autoscaler says how many pods, so the number is no part of it.
    """
    spec = dict(workload["spec"])
    if is_scaled:
        spec.pop("replicas", None)
    text = json.dumps([spec, more], sort_keys=True)
    return f"{version_of(pod_template(workload))}:{hashlib.sha256(text.encode()).hexdigest()[:20]}"


def member_of(pod: Object) -> Member:
    """A pod as people see it."""
    why = trouble_of(pod)
    return Member(
        name=name_of(pod),
        version=version_of(pod),
        is_healthy=is_ready(pod) and not why,
        message=why,
    )


def is_ready(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def is_ending(pod: Object) -> bool:
    return "deletionTimestamp" in pod["metadata"]


def trouble_of(pod: Object) -> str:
    """Why the pod is not ready, in the cluster's words; empty where nothing is known."""
    return _fault_of(pod) or _unready_of(pod)


def unexplained(pods: Sequence[Object]) -> Object | None:
    """The first pod that runs and is not ready, so that only its events can say why."""
    return next((pod for pod in pods if not _fault_of(pod) and _unready_of(pod)), None)


def _unready_of(pod: Object) -> str:
    for each in (pod.get("status") or {}).get("containerStatuses") or ():
        if each.get("ready") is False and "running" in (each.get("state") or {}):
            ended = (each.get("lastState") or {}).get("terminated")
            again = f", after it {_ended(ended)}" if ended else ""
            return f"{each['name']}: running, but not ready{again}"
    return ""


def _ended(state: Object) -> str:
    return f"ended with {state.get('exitCode')} ({state.get('reason', '')})"


def _fault_of(pod: Object) -> str:
    if is_ending(pod):
        held = ", ".join(pod["metadata"].get("finalizers") or ())
        since = pod["metadata"]["deletionTimestamp"]
        return f"Ending, due at {since}" + (f", held by {held}" if held else "")
    status = pod.get("status") or {}
    for each in status.get("conditions") or ():
        if each["type"] == "PodScheduled" and each["status"] == "False":
            return f"FailedScheduling: {each.get('message', '')}"
    states = [
        *(status.get("initContainerStatuses") or ()),
        *(status.get("containerStatuses") or ()),
    ]
    for each in states:
        waiting = (each.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") and waiting["reason"] not in _COMING:
            return f"{each['name']}: {waiting['reason']}: {waiting.get('message', '')}".rstrip(": ")
        ended = (each.get("state") or {}).get("terminated") or {}
        if ended.get("exitCode"):
            return f"{each['name']}: {_ended(ended)}"
    if status.get("phase") == "Failed":
        return f"{status.get('reason', 'Failed')}: {status.get('message', '')}".rstrip(": ")
    return ""


def troubles_of(pods: Sequence[Object]) -> str:
    """What holds up a rollout: each reason once, with the first pod that tells it."""
    by_reason: dict[str, list[str]] = {}
    for pod in pods:
        if not is_ending(pod) and (why := trouble_of(pod)):
            by_reason.setdefault(why, []).append(name_of(pod))
    said = [
        f"{names[0]}{f' and {len(names) - 1} more' if len(names) > 1 else ''}: {why}"
        for why, names in by_reason.items()
    ]
    return "; ".join(said[:3])


def stuck(stateful_set: Object, pods: Sequence[Object]) -> list[Object]:
    """The pods that the rollout waits for in vain: not ready, and of another revision.

    None where somebody else is to replace them: with OnDelete, and below the partition.
    """
    spec, status = stateful_set["spec"], stateful_set.get("status") or {}
    if (spec.get("updateStrategy") or {}).get("type") == "OnDelete":
        return []
    first = int((spec.get("ordinals") or {}).get("start") or 0) + partition_of(spec)
    return [
        pod
        for pod in pods
        if labels(pod).get("controller-revision-hash") != status.get("updateRevision")
        and int(name_of(pod).rpartition("-")[2]) >= first
        and not is_ready(pod)
        and not is_ending(pod)
    ]


def owner_of(thing: Object) -> tuple[str, str] | None:
    """(kind, name) of what controls it."""
    for each in thing["metadata"].get("ownerReferences") or ():
        if each.get("controller"):
            return str(each["kind"]), str(each["name"])
    return None
