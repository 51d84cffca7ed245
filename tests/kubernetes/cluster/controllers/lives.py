"""What becomes of pods, whoever carries it out: the fake's kubelet, or a real plane's Nodes.

Knows neither store nor network: a pod, its age and `Timing` decide.
"""

import itertools
import time
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .. import clock
from . import conditions
from .fate import Container, Fate, Timing, fate

Json = dict[str, Any]
UNSCHEDULABLE = "test.lastgood.io/unschedulable"
TERMINATES_AFTER = "test.lastgood.io/terminates-after"
KUBELET, SCHEDULER = "kubelet", "default-scheduler"
_TOLD = {"ErrImagePull": "Failed", "ImagePullBackOff": "BackOff", "CrashLoopBackOff": "BackOff"}


@dataclass(frozen=True)
class Next:
    """One of: the pod is gone, gets its node, or has this status, which `told` explains.

    `told` are reasons and messages of warnings. After `seconds` it is to be seen again.
    """

    is_over: bool = False
    node: str = ""
    status: Json | None = None
    by: str = KUBELET
    told: tuple[tuple[str, str], ...] = ()
    seconds: float | None = None


class Lives:
    """What is remembered of pods: since when they run these images, or are being ended."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._turn = itertools.count()
        self._addresses = itertools.count(2)
        self._lives: dict[str, tuple[list[str], float, datetime]] = {}  # by uid, as are these
        self._ending: dict[str, float] = {}

    def next(self, pod: Json, nodes: Sequence[str]) -> Next:
        if "deletionTimestamp" in pod["metadata"]:
            return self._end(pod["metadata"])
        if pod["spec"].get("nodeName"):
            return self._fare(pod)
        possible = [name for name in nodes if node_of(pod) in ("", name)]
        annotations = pod["metadata"].get("annotations", {})
        if not possible or annotations.get(UNSCHEDULABLE) == "true":
            return _homeless(pod, len(nodes))
        return Next(node=possible[next(self._turn) % len(possible)])

    def _end(self, metadata: Json) -> Next:
        if metadata.get("deletionGracePeriodSeconds") == 0:
            return Next()
        since = self._ending.setdefault(metadata["uid"], time.monotonic())
        seconds = float(metadata.get("annotations", {}).get(TERMINATES_AFTER, 0))
        seconds = min(seconds, float(metadata.get("deletionGracePeriodSeconds", seconds)))
        left: float = since + seconds - time.monotonic()
        return Next(seconds=left) if left > 0 else Next(is_over=True)

    def _fare(self, pod: Json) -> Next:
        metadata, spec = pod["metadata"], pod["spec"]
        inits = spec.get("initContainers", [])
        everyone = [*inits, *spec["containers"]]
        age, born = self._age(metadata["uid"], [each["image"] for each in everyone])
        label = f"{metadata['name']}_{metadata['namespace']}({metadata['uid']})"
        fates = [
            fate(Container(each, age, born, self._timing, f"{each['name']} pod={label}"))
            for each in everyone
        ]
        status = _status(pod, fates[: len(inits)], fates[len(inits) :], born)
        if status["phase"] == "Running" and "podIP" not in status:
            status["podIP"] = self._address()
            status["podIPs"] = [{"ip": status["podIP"]}]
        untils = [each.until for each in fates if each.until is not None]
        seconds = max(min(untils) - age, 0) if untils else None
        return Next(status=status, told=tuple(_told(fates)), seconds=seconds)

    def _age(self, uid: str, images: list[str]) -> tuple[float, datetime]:
        """Other images make another life."""
        if self._lives.get(uid, ([],))[0] != images:
            self._lives[uid] = (images, time.monotonic(), clock.now())
        _, since, born = self._lives[uid]
        return time.monotonic() - since, born

    def _address(self) -> str:
        number = next(self._addresses)
        return f"10.244.{number // 250}.{number % 250 + 1}"


def node_of(pod: Json) -> str:
    """The node it is on, or the only one that it may be on, as daemon sets say it; or none."""
    spec = pod["spec"]
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    affinity = (spec.get("affinity") or {}).get("nodeAffinity", {}).get(required, {})
    names = (
        field["values"][0]
        for term in affinity.get("nodeSelectorTerms", [])
        for field in term.get("matchFields", [])
    )
    return spec.get("nodeName") or next(names, "")


def _homeless(pod: Json, nodes: int) -> Next:
    said = f"0/{nodes} nodes are available: {nodes} Insufficient cpu."
    status = deepcopy(pod.get("status", {}))
    conditions.put(status, "PodScheduled", "False", "Unschedulable", said)
    return Next(status=status, by=SCHEDULER, told=(("FailedScheduling", said),))


def _told(fates: list[Fate]) -> list[tuple[str, str]]:
    waits = [each.waiting for each in fates if each.waiting.get("reason") in _TOLD]
    return [(_TOLD[each["reason"]], each["message"]) for each in waits]


def _status(pod: Json, inits: list[Fate], fates: list[Fate], born: datetime) -> Json:
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
    _put_conditions(status, not is_stuck, is_ready, fates)
    return status


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
    started_at = init.status["state"].get("running", {}).get("startedAt")
    times = {"startedAt": started_at, "finishedAt": started_at}
    ended = {"terminated": {"exitCode": 0, "reason": "Completed", **times}}
    return {**init.status, "state": ended, "ready": True}


def _held(each: Fate) -> Json:
    """A container that waits for init containers."""
    waiting = {"waiting": {"reason": "PodInitializing"}}
    held = {"state": waiting, "lastState": {}, "ready": False, "started": False, "restartCount": 0}
    return {**each.status, **held}
