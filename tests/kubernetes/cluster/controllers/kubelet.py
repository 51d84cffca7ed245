"""Scheduler and nodes in one: gives pods a node, reports how they fare, and lets them go."""

import itertools
import time
from collections.abc import Iterable
from copy import deepcopy
from datetime import datetime
from typing import Any

from .. import clock
from .. import resources as r
from ..objects import Objects
from ..removal import Removing, remove
from ..store import Change
from ..writing import Writing
from . import conditions
from .fate import Container, Fate, Timing, fate
from .happenings import tell
from .loop import Controller, Key, key
from .pods import is_going

Json = dict[str, Any]
UNSCHEDULABLE = "test.lastgood.io/unschedulable"
TERMINATES_AFTER = "test.lastgood.io/terminates-after"
_NODE = "kubelet"
_TOLD = {"ErrImagePull": "Failed", "ImagePullBackOff": "BackOff", "CrashLoopBackOff": "BackOff"}


class Kubelet(Controller):
    """Every pod's."""

    resource = r.PODS

    def __init__(self, objects: Objects, timing: Timing) -> None:
        super().__init__(objects, timing)
        self._turn = itertools.count()
        self._addresses = itertools.count(2)
        # Since when a pod runs these images, or is being ended; by its uid.
        self._lives: dict[str, tuple[list[str], float, datetime]] = {}
        self._ending: dict[str, float] = {}

    def keys(self, change: Change) -> Iterable[Key]:
        if change.resource is r.NODES:
            return [key(pod) for pod in self.store.all(r.PODS) if not pod["spec"].get("nodeName")]
        if change.resource is r.PODS and change.after is None:
            self._lives.pop(change.newest["metadata"]["uid"], None)
            self._ending.pop(change.newest["metadata"]["uid"], None)
        return super().keys(change)

    def reconcile(self, pod: Json) -> float | None:
        if is_going(pod):
            return self._end(pod)
        if not pod["spec"].get("nodeName"):
            if not self._has_place(pod):
                return None
            pod = self._bind(pod)
        return self._report(pod)

    def _end(self, pod: Json) -> float | None:
        metadata = pod["metadata"]
        if metadata.get("deletionGracePeriodSeconds") == 0:
            return None
        since = self._ending.setdefault(metadata["uid"], time.monotonic())
        seconds = float(metadata.get("annotations", {}).get(TERMINATES_AFTER, 0))
        seconds = min(seconds, float(metadata.get("deletionGracePeriodSeconds", seconds)))
        left: float = since + seconds - time.monotonic()
        if left > 0:
            return left
        remove(self.objects, r.PODS, *key(pod), Removing(grace=0))
        return None

    def _has_place(self, pod: Json) -> bool:
        nodes = len(self.store.all(r.NODES))
        annotations = pod["metadata"].get("annotations", {})
        if nodes and annotations.get(UNSCHEDULABLE) != "true":
            return True
        said = f"0/{nodes} nodes are available: {nodes} Insufficient cpu."
        status = deepcopy(pod.get("status", {}))
        conditions.put(status, "PodScheduled", "False", "Unschedulable", said)
        if status != pod.get("status"):
            self.objects.set_status(r.PODS, pod, status, "kube-scheduler")
            tell(self.objects, pod, "FailedScheduling", said, "default-scheduler", is_warning=True)
        return False

    def _bind(self, pod: Json) -> Json:
        names = [node["metadata"]["name"] for node in self.store.all(r.NODES)]
        name = names[next(self._turn) % len(names)]
        writing = Writing("kube-scheduler")
        return self.objects.edit(
            r.PODS, pod, lambda new: new["spec"].update(nodeName=name), writing
        )

    def _report(self, pod: Json) -> float | None:
        uid, spec = pod["metadata"]["uid"], pod["spec"]
        everyone = [*spec.get("initContainers", []), *spec["containers"]]
        images = [each["image"] for each in everyone]
        if self._lives.get(uid, ([],))[0] != images:
            self._lives[uid] = (images, time.monotonic(), clock.now())
        _, since, born = self._lives[uid]
        age = time.monotonic() - since
        label = "{}_{}({})".format(*reversed(key(pod)), uid)
        fates = [
            fate(Container(each, age, born, self.timing, f"{each['name']} pod={label}"))
            for each in everyone
        ]
        first = len(spec.get("initContainers", []))
        status = self._status(pod, fates[:first], fates[first:], born)
        if status != pod.get("status"):
            pod = self.objects.set_status(r.PODS, pod, status, _NODE)
            self._tell(pod, fates)
        untils = [each.until for each in fates if each.until is not None]
        return max(min(untils) - age, 0) if untils else None

    def _status(self, pod: Json, inits: list[Fate], fates: list[Fate], born: datetime) -> Json:
        status: Json = deepcopy(pod.get("status", {}))
        is_stuck = any(each.waiting.get("reason") in _TOLD for each in inits)
        if inits:
            status["initContainerStatuses"] = [_done(each) for each in inits]
        if is_stuck:
            status["containerStatuses"] = [_held(each) for each in fates]
        else:
            status["containerStatuses"] = [each.status for each in fates]
        has_started = not is_stuck and all(each.has_started for each in fates)
        is_ready = not is_stuck and all(each.is_ready for each in fates)
        status["phase"] = "Running" if has_started else "Pending"
        status["startTime"] = clock.spelled(born)
        status["hostIP"] = "10.0.0.1"
        if has_started and "podIP" not in status:
            number = next(self._addresses)
            status["podIP"] = f"10.244.{number // 250}.{number % 250 + 1}"
            status["podIPs"] = [{"ip": status["podIP"]}]
        _put_conditions(status, not is_stuck, is_ready, fates)
        return status

    def _tell(self, pod: Json, fates: list[Fate]) -> None:
        for each in fates:
            reason = each.waiting.get("reason")
            if reason in _TOLD:
                said = each.waiting["message"]
                tell(self.objects, pod, _TOLD[reason], said, _NODE, is_warning=True)


def _put_conditions(status: Json, is_initialized: bool, is_ready: bool, fates: list[Fate]) -> None:
    unready = [each.status["name"] for each in fates if not each.is_ready]
    why = ("", "")
    if not is_ready:
        why = ("ContainersNotReady", f"containers with unready status: [{' '.join(unready)}]")
    conditions.put(status, "PodReadyToStartContainers", "True")
    conditions.put(status, "Initialized", "True" if is_initialized else "False")
    conditions.put(status, "Ready", "True" if is_ready else "False", *why)
    conditions.put(status, "ContainersReady", "True" if is_ready else "False", *why)
    conditions.put(status, "PodScheduled", "True")


def _done(init: Fate) -> Json:
    """An init container that can start has ended well."""
    if init.waiting.get("reason") in _TOLD or init.status["restartCount"]:
        return init.status
    ended = {"terminated": {"exitCode": 0, "reason": "Completed"}}
    return {**init.status, "state": ended, "ready": True}


def _held(each: Fate) -> Json:
    """A container that waits for init containers."""
    waiting = {"waiting": {"reason": "PodInitializing"}}
    held = {"state": waiting, "lastState": {}, "ready": False, "started": False, "restartCount": 0}
    return {**each.status, **held}
