"""Daemon sets: one pod on every node, replaced a few nodes at a time."""

import math
from typing import Any

from .. import resources as r
from ..problems import Refused
from .happenings import tell
from .lives import node_of
from .loop import Controller, key
from .pods import (
    BY,
    claimed,
    delete,
    forget_revisions,
    is_active,
    is_available,
    is_going,
    is_over,
    is_ready,
    pod,
    revise,
    soonest,
)

Json = dict[str, Any]
HASH = "controller-revision-hash"
GENERATION = "pod-template-generation"
_NAME = "daemonset-controller"
RETRY_SECONDS = 0.3


class DaemonSets(Controller):
    """Nodes come and go; so do their pods."""

    resource = r.DAEMON_SETS
    dependents = (r.PODS,)

    def keys(self, change: Any) -> Any:
        if change.resource is r.NODES:
            return [key(each) for each in self.store.all(r.DAEMON_SETS)]
        return super().keys(change)

    def reconcile(self, obj: Json) -> float | None:
        pods = claimed(self.objects, obj, r.PODS)
        if is_going(obj):
            return None
        _, revision = revise(self.objects, obj)
        code = revision["metadata"]["labels"][HASH]
        seconds = None
        try:
            self._place(obj, pods, code)
            if obj["spec"]["updateStrategy"]["type"] == "RollingUpdate":
                self._roll(obj, claimed(self.objects, obj, r.PODS), code)
        except Refused as refused:
            said = f"Error creating: {refused.status['message']}"
            tell(self.objects, obj, "FailedCreate", said, _NAME, is_warning=True)
            seconds = RETRY_SECONDS
        pods = claimed(self.objects, obj, r.PODS)
        status = self._status(obj, pods, code)
        self.objects.set_status(r.DAEMON_SETS, obj, status, BY.manager)
        used = {each["metadata"]["labels"].get(HASH, "") for each in pods}
        name = obj["metadata"]["name"]
        forget_revisions(self.objects, obj, {f"{name}-{each}" for each in {*used, code}})
        return seconds or soonest(pods, obj["spec"].get("minReadySeconds", 0))

    def _nodes(self) -> set[str]:
        return {node["metadata"]["name"] for node in self.store.all(r.NODES)}

    def _place(self, obj: Json, pods: list[Json], code: str) -> None:
        """A pod on each node that has none, and none elsewhere."""
        nodes = self._nodes()
        taken = set[str]()
        for each in pods:
            node = node_of(each)
            if not is_going(each) and (node not in nodes or node in taken or is_over(each)):
                delete(self.objects, r.PODS, each)
            taken.add(node)
        for node in sorted(nodes - taken):
            generation = (
                obj["metadata"]
                .get("annotations", {})
                .get("deprecated.daemonset.template.generation", str(obj["metadata"]["generation"]))
            )
            body = pod(obj, obj["spec"]["template"], {HASH: code, GENERATION: generation})
            body["spec"].setdefault("affinity", {}).update(_affinity(node))
            self.objects.create(r.PODS, obj["metadata"]["namespace"], body, BY)

    def _roll(self, obj: Json, pods: list[Json], code: str) -> None:
        """Old pods that are no use anyway, and as many others as may be missing."""
        min_ready = obj["spec"].get("minReadySeconds", 0)
        old = [each for each in pods if each["metadata"]["labels"].get(HASH) != code]
        useless = [each for each in old if is_active(each) and not is_available(each, min_ready)]
        useful = [each for each in old if is_active(each) and is_available(each, min_ready)]
        up = sum(is_active(each) and is_available(each, min_ready) for each in pods)
        nodes = len(self._nodes())
        spare = _allowance(obj["spec"], nodes) - (nodes - up)
        for each in [*useless, *useful[: max(spare, 0)]]:
            delete(self.objects, r.PODS, each)

    def _status(self, obj: Json, pods: list[Json], code: str) -> Json:
        min_ready = obj["spec"].get("minReadySeconds", 0)
        active = [each for each in pods if is_active(each)]
        available = sum(is_available(each, min_ready) for each in active)
        nodes = len(self._nodes())
        status = {
            "currentNumberScheduled": len(active),
            "desiredNumberScheduled": nodes,
            "numberMisscheduled": 0,
            "numberReady": sum(is_ready(each) for each in active),
            "observedGeneration": obj["metadata"]["generation"],
        }
        counts = {
            "numberAvailable": available,
            "numberUnavailable": nodes - available,
            "updatedNumberScheduled": sum(
                each["metadata"]["labels"].get(HASH) == code for each in active
            ),
        }
        return status | {name: count for name, count in counts.items() if count}


def _affinity(node: str) -> Json:
    """Whose place it is; the scheduler puts it there."""
    term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    required = {"nodeSelectorTerms": [term]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}


def _allowance(spec: Json, nodes: int) -> int:
    value = spec["updateStrategy"]["rollingUpdate"]["maxUnavailable"]
    if isinstance(value, str):
        return math.ceil(int(value.rstrip("%")) * nodes / 100)
    return int(value)
