"""Nodes for a control plane that has none: its pods fare as those of the suite's own cluster do.

`cluster/controllers/lives.py` decides what becomes of a pod; here it is asked for what changed, and
what it decided is written: as the scheduler would, and as the kubelets would.
"""

import json
import logging
import threading
import time
from datetime import UTC, datetime
from typing import Any, Self

import httpx

from tests.kubernetes.cluster.controllers.fate import Timing
from tests.kubernetes.cluster.controllers.happenings import again, event
from tests.kubernetes.cluster.controllers.lives import Lives, Next
from tests.kubernetes.cluster.controllers.loop import Key, key

Json = dict[str, Any]
COUNT = 3
PODS = "/api/v1/pods"
WATCH_SECONDS = 3  # also how long the end may take
RETRY_SECONDS = 0.2
MERGE = {"Content-Type": "application/merge-patch+json"}
_logger = logging.getLogger(__name__)


class Nodes:
    """Use as a context manager around everything that makes pods."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._names = [f"pretended-{number}" for number in range(COUNT)]
        self._lives = Lives(Timing())
        self._told: dict[tuple[str, str, str], Json] = {}
        self._pods: dict[Key, Json] = {}
        self._due: dict[Key, float] = {}
        self._noticed = threading.Condition()  # guards both
        self._is_ending = False
        self._threads = [
            threading.Thread(target=each, name=each.__name__, daemon=True)
            for each in (self._watch, self._work)
        ]

    def __enter__(self) -> Self:
        for name in self._names:
            self._add(name)
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        with self._noticed:
            self._is_ending = True
            self._noticed.notify()
        for thread in self._threads:
            thread.join()
        self._client.close()

    def _add(self, name: str) -> None:
        labels = {"kubernetes.io/hostname": name}
        self._client.post("/api/v1/nodes", json={"metadata": {"name": name, "labels": labels}})
        # A new node is tainted until somebody says that it is ready.
        self._merge(f"/api/v1/nodes/{name}", {"spec": {"taints": None}})
        self._beat(name)

    def _beat(self, name: str) -> None:
        """Whoever has not said for a while that it is ready is tainted again."""
        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        ready = {"type": "Ready", "status": "True", "reason": "Pretended", "message": ""}
        beat = {**ready, "lastHeartbeatTime": now}
        self._merge(f"/api/v1/nodes/{name}/status", {"status": {"conditions": [beat]}})

    def _watch(self) -> None:
        while not self._is_ending:
            try:
                for name in self._names:
                    self._beat(name)
                self._follow()
            except httpx.HTTPError as error:
                _logger.warning("pods cannot be watched: %s", error)
                time.sleep(RETRY_SECONDS)

    def _follow(self) -> None:
        """All pods, and what changes of them for a while."""
        listed = self._client.get(PODS).raise_for_status().json()
        pods = {key(pod): pod for pod in listed["items"]}
        with self._noticed:
            self._pods = pods
            self._due |= dict.fromkeys(pods, 0.0)
            self._noticed.notify()
        query = {
            "watch": "1",
            "resourceVersion": listed["metadata"]["resourceVersion"],
            "timeoutSeconds": str(WATCH_SECONDS),
        }
        with self._client.stream("GET", PODS, params=query) as response:
            for line in response.raise_for_status().iter_lines():
                self._notice(json.loads(line))

    def _notice(self, change: Json) -> None:
        if change["type"] == "ERROR":
            return  # it ends now; then all pods are listed
        place = key(change["object"])
        with self._noticed:
            self._pods[place] = change["object"]
            self._due[place] = 0.0
            if change["type"] == "DELETED":
                del self._pods[place], self._due[place]
            self._noticed.notify()

    def _work(self) -> None:
        while pods := self._now_due():
            for pod in pods:
                seconds = self._seconds(pod)
                if seconds is not None:
                    self._see_again(key(pod), seconds)

    def _now_due(self) -> list[Json]:
        """Waits for some; none at the end."""
        with self._noticed:
            while not self._is_ending:
                now = time.monotonic()
                due = [place for place, at in self._due.items() if at <= now]
                for place in due:
                    del self._due[place]
                if pods := [self._pods[place] for place in due if place in self._pods]:
                    return pods
                self._noticed.wait(min(self._due.values()) - now if self._due else None)
        return []

    def _see_again(self, place: Key, seconds: float) -> None:
        with self._noticed:
            at = time.monotonic() + seconds
            self._due[place] = min(at, self._due.get(place, at))

    def _seconds(self, pod: Json) -> float | None:
        """Carries out what becomes of it; seconds until it is to be seen again."""
        found = self._lives.next(pod, self._names)
        try:
            self._carry_out(found, pod)
        except httpx.HTTPError as error:
            # Most often it is another already, or gone; then there is nothing more to see.
            _logger.info("%s: %s", "/".join(key(pod)), error)
            return RETRY_SECONDS
        return found.seconds

    def _carry_out(self, found: Next, pod: Json) -> None:
        namespace, name = key(pod)
        path, uid = f"/api/v1/namespaces/{namespace}/pods/{name}", pod["metadata"]["uid"]
        if found.is_over:
            body = {"gracePeriodSeconds": 0, "preconditions": {"uid": uid}}
            self._client.request("DELETE", path, json=body).raise_for_status()
        elif found.node:
            target = {"kind": "Node", "name": found.node}
            binding = {"metadata": {"name": name, "uid": uid}, "target": target}
            self._client.post(f"{path}/binding", json=binding).raise_for_status()
        elif found.status is not None and found.status != pod.get("status"):
            for reason, message in found.told:  # who sees the status may look for them
                self._tell(pod, reason, message, found.by)
            body = {"metadata": {"uid": uid}, "status": found.status}
            self._merge(f"{path}/status", body).raise_for_status()

    def _tell(self, pod: Json, reason: str, message: str, by: str) -> None:
        events = f"/api/v1/namespaces/{pod['metadata']['namespace']}/events"
        told = self._told.get((pod["metadata"]["uid"], reason, message))
        if told is None:
            about = {"kind": "Pod", "apiVersion": "v1", **pod}
            told = event(about, reason, message, by, is_warning=True)
            self._client.post(events, json=told).raise_for_status()
            self._told[pod["metadata"]["uid"], reason, message] = told
        else:
            again(told)
            self._merge(f"{events}/{told['metadata']['name']}", told).raise_for_status()

    def _merge(self, path: str, body: Json) -> httpx.Response:
        return self._client.patch(path, content=json.dumps(body), headers=MERGE)
