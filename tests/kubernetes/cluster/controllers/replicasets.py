"""Replica sets keep as many pods as they were told to."""

from typing import Any

from .. import clock
from .. import resources as r
from ..problems import Refused
from . import conditions
from .happenings import tell
from .loop import Controller
from .pods import BY, claimed, delete, is_active, is_available, is_going, is_ready, pod, soonest

Json = dict[str, Any]
_NAME = "replicaset-controller"
RETRY_SECONDS = 0.3


class ReplicaSets(Controller):
    """Makes missing pods and deletes surplus ones, those first that are of least use."""

    resource = r.REPLICA_SETS
    dependents = (r.PODS,)

    def reconcile(self, obj: Json) -> float | None:
        pods = [each for each in claimed(self.objects, obj, r.PODS) if is_active(each)]
        refusal = None
        if not is_going(obj):
            try:
                pods = self._scaled(obj, pods)
            except Refused as refused:
                refusal = refused
                pods = [each for each in claimed(self.objects, obj, r.PODS) if is_active(each)]
                self._complain(obj, refused)
        self.objects.set_status(r.REPLICA_SETS, obj, _status(obj, pods, refusal), BY.manager)
        wait = soonest(pods, obj["spec"].get("minReadySeconds", 0))
        return RETRY_SECONDS if refusal else wait

    def _scaled(self, obj: Json, pods: list[Json]) -> list[Json]:
        """The pods after making or deleting some; raises Refused if one may not be made."""
        wanted, namespace = obj["spec"]["replicas"], obj["metadata"]["namespace"]
        if len(pods) > wanted:
            pods = sorted(pods, key=_usefulness)
            for each in pods[: len(pods) - wanted]:
                delete(self.objects, r.PODS, each)
            return pods[len(pods) - wanted :]
        while len(pods) < wanted:
            body = pod(obj, obj["spec"]["template"])
            pods.append(self.objects.create(r.PODS, namespace, body, BY))
        return pods

    def _complain(self, obj: Json, refused: Refused) -> None:
        # The random name in the message would make every complaint a new event.
        condition = conditions.find(obj.get("status", {}), "ReplicaFailure")
        if condition is None:
            said = f"Error creating: {refused.status['message']}"
            tell(self.objects, obj, "FailedCreate", said, _NAME, is_warning=True)


def _usefulness(each: Json) -> tuple[bool, bool, bool, float]:
    """Pods without a node, not running and not ready go first, then the newest."""
    age = clock.seconds_since(each["metadata"]["creationTimestamp"])
    is_running = each.get("status", {}).get("phase") == "Running"
    return bool(each["spec"].get("nodeName")), is_running, is_ready(each), age


def _status(obj: Json, pods: list[Json], refusal: Refused | None) -> Json:
    min_ready = obj["spec"].get("minReadySeconds", 0)
    counts = {
        "fullyLabeledReplicas": len(pods),
        "readyReplicas": sum(is_ready(each) for each in pods),
        "availableReplicas": sum(is_available(each, min_ready) for each in pods),
    }
    status: Json = {
        "replicas": len(pods),
        "observedGeneration": obj["metadata"]["generation"],
        **{key: count for key, count in counts.items() if count},
    }
    old = obj.get("status", {})
    if kept := old.get("conditions"):
        status["conditions"] = list(kept)
    if refusal is None:
        conditions.drop(status, "ReplicaFailure")
    elif conditions.find(old, "ReplicaFailure") is None:
        said = refusal.status["message"]
        conditions.put(status, "ReplicaFailure", "True", "FailedCreate", said)
    if not status.get("conditions"):
        status.pop("conditions", None)
    return status
