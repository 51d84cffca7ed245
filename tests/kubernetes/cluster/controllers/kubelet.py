"""Scheduler and nodes in one: gives pods a node, reports how they fare, and lets them go."""

from collections.abc import Iterable
from typing import Any

from .. import resources as r
from ..objects import Objects
from ..removal import Removing, remove
from ..store import Change
from ..writing import Writing
from .fate import Timing
from .happenings import tell
from .lives import Lives
from .loop import Controller, Key, key

Json = dict[str, Any]


class Kubelet(Controller):
    """Every pod's."""

    resource = r.PODS

    def __init__(self, objects: Objects, timing: Timing) -> None:
        super().__init__(objects, timing)
        self._lives = Lives(timing)

    def keys(self, change: Change) -> Iterable[Key]:
        if change.resource is r.NODES:
            return [key(pod) for pod in self.store.all(r.PODS) if not pod["spec"].get("nodeName")]
        return super().keys(change)

    def reconcile(self, pod: Json) -> float | None:
        nodes = [node["metadata"]["name"] for node in self.store.all(r.NODES)]
        found = self._lives.next(pod, nodes)
        if found.is_over:
            remove(self.objects, r.PODS, *key(pod), Removing(grace=0))
        elif found.node:
            by = Writing("kube-scheduler")
            bind = {"nodeName": found.node}
            self.objects.edit(r.PODS, pod, lambda new: new["spec"].update(bind), by)
        elif found.status is not None and found.status != pod.get("status"):
            pod = self.objects.set_status(r.PODS, pod, found.status, found.by)
            for reason, message in found.told:
                tell(self.objects, pod, reason, message, found.by, is_warning=True)
        return found.seconds
