"""A deployment's status: counts, and whether it makes progress."""

from copy import deepcopy
from typing import Any

from .. import clock
from .. import resources as r
from ..objects import Objects
from ..writing import Writing
from . import conditions
from .sizing import slack

Json = dict[str, Any]
BY_STATUS = Writing("kube-controller-manager", subresource="status")
NO_DEADLINE = 2**31 - 1


def report(objects: Objects, obj: Json, new: Json | None, sets: list[Json]) -> float | None:
    """Write the status; seconds until the deadline for progress."""
    old = obj.get("status", {})
    status = _counted(obj, new, sets)
    status["conditions"] = deepcopy(old.get("conditions", []))
    _put_available(obj, status)
    if not obj["spec"].get("paused"):  # then nothing is said of progress, until the pause ends
        _put_progress(obj, old, status, new)
    _put_failure(status, new, sets)
    obj = objects.set_status(r.DEPLOYMENTS, obj, status, BY_STATUS.manager)
    return _seconds_left(obj)


def is_complete(obj: Json) -> bool:
    return _is_complete(obj, obj.get("status", {}))


def note(objects: Objects, obj: Json, reason: str, message: str, value: str = "True") -> Json:
    """Write what came of the rollout just now as its progress."""
    if obj["spec"].get("progressDeadlineSeconds", NO_DEADLINE) == NO_DEADLINE:
        return obj
    status = deepcopy(obj.get("status", {}))
    _put(status, value, reason, message)
    return objects.set_status(r.DEPLOYMENTS, obj, status, BY_STATUS.manager)


def note_pause(objects: Objects, obj: Json) -> Json:
    """A pause, and its end, stop the clock of the deadline."""
    is_paused = obj["spec"].get("paused", False)
    condition = conditions.find(obj.get("status", {}), "Progressing")
    reason = condition["reason"] if condition else ""
    if reason == "ProgressDeadlineExceeded":
        return obj
    if is_paused and reason != "DeploymentPaused":
        return note(objects, obj, "DeploymentPaused", "Deployment is paused", "Unknown")
    if not is_paused and reason == "DeploymentPaused":
        return note(objects, obj, "DeploymentResumed", "Deployment is resumed", "Unknown")
    return obj


def _counted(obj: Json, new: Json | None, sets: list[Json]) -> Json:
    def total(name: str) -> int:
        return sum(each.get("status", {}).get(name, 0) for each in sets)

    specified = sum(each["spec"]["replicas"] for each in sets)
    counts = {
        "replicas": total("replicas"),
        "updatedReplicas": (new or {}).get("status", {}).get("replicas", 0),
        "readyReplicas": total("readyReplicas"),
        "availableReplicas": total("availableReplicas"),
        "unavailableReplicas": max(specified - total("availableReplicas"), 0),
    }
    status: Json = {"observedGeneration": obj["metadata"]["generation"]}
    return status | {key: count for key, count in counts.items() if count}


def _put_available(obj: Json, status: Json) -> None:
    spec = obj["spec"]
    least = spec["replicas"]
    if spec["strategy"]["type"] == "RollingUpdate":
        least -= slack(spec)
    if status.get("availableReplicas", 0) >= least:
        said = "Deployment has minimum availability."
        _put(status, "True", "MinimumReplicasAvailable", said, "Available")
    else:
        said = "Deployment does not have minimum availability."
        _put(status, "False", "MinimumReplicasUnavailable", said, "Available")


def _put_progress(obj: Json, old: Json, status: Json, new: Json | None) -> None:
    if obj["spec"].get("progressDeadlineSeconds", NO_DEADLINE) == NO_DEADLINE:
        conditions.drop(status, "Progressing")
        return
    condition = conditions.find(status, "Progressing")
    is_whole = status.get("replicas", 0) == status.get("updatedReplicas", 0)
    if is_whole and condition and condition["reason"] == "NewReplicaSetAvailable":
        return
    name = (
        f'ReplicaSet "{new["metadata"]["name"]}"'
        if new
        else f'Deployment "{obj["metadata"]["name"]}"'
    )
    if _is_complete(obj, status):
        _put(status, "True", "NewReplicaSetAvailable", f"{name} has successfully progressed.")
    elif _makes_progress(old, status):
        _put(status, "True", "ReplicaSetUpdated", f"{name} is progressing.", is_news=True)
    elif _is_late(obj, condition):
        _put(status, "False", "ProgressDeadlineExceeded", f"{name} has timed out progressing.")


def _put_failure(status: Json, new: Json | None, sets: list[Json]) -> None:
    order = [*([new] if new else []), *sets]
    found = (conditions.find(each.get("status", {}), "ReplicaFailure") for each in order)
    failure = next(filter(None, found), None)
    if failure is None:
        conditions.drop(status, "ReplicaFailure")
    else:
        _put(status, "True", failure["reason"], failure["message"], "ReplicaFailure")


def _put(
    status: Json,
    value: str,
    reason: str,
    message: str,
    kind: str = "Progressing",
    *,
    is_news: bool = False,
) -> None:
    """Deployments' conditions also say when they were last updated: with their reason."""
    old = conditions.find(status, kind)
    is_same = old and (old["status"], old["reason"]) == (value, reason)
    if is_same and not is_news:
        return
    conditions.put(status, kind, value, reason, message)
    condition = conditions.find(status, kind)
    assert condition is not None
    condition["lastUpdateTime"] = clock.stamp()


def _is_complete(obj: Json, status: Json) -> bool:
    wanted = obj["spec"]["replicas"]
    counts = ("updatedReplicas", "replicas", "availableReplicas")
    is_seen = status.get("observedGeneration", 0) >= obj["metadata"]["generation"]
    return is_seen and all(status.get(each, 0) == wanted for each in counts)


def _makes_progress(old: Json, new: Json) -> bool:
    def left(status: Json) -> int:
        return int(status.get("replicas", 0) - status.get("updatedReplicas", 0))

    grown = ("updatedReplicas", "readyReplicas", "availableReplicas")
    return left(new) < left(old) or any(new.get(each, 0) > old.get(each, 0) for each in grown)


def _is_late(obj: Json, condition: Json | None) -> bool:
    if condition is None or condition["reason"] == "NewReplicaSetAvailable":
        return False
    if condition["reason"] == "ProgressDeadlineExceeded":
        return True
    return _deadline_in(obj, condition) <= 0


def _deadline_in(obj: Json, condition: Json) -> float:
    deadline: int = obj["spec"]["progressDeadlineSeconds"]
    return deadline - clock.seconds_since(condition["lastUpdateTime"])


def _seconds_left(obj: Json) -> float | None:
    condition = conditions.find(obj["status"], "Progressing")
    over = ("NewReplicaSetAvailable", "ProgressDeadlineExceeded", "DeploymentPaused")
    if condition is None or condition["reason"] in over or obj["spec"].get("paused"):
        return None
    return max(_deadline_in(obj, condition), 0) + 0.01
