"""Nodes for a control plane that has none: pods come up, hang or crash as their images' tags say.

The tag (behind the last colon) of an image begins with `missing`: it cannot be pulled; `crash`: it
ends with 1, again and again; `unready`: it runs and is never ready; `slow`: it is ready after two
seconds; otherwise at once.
"""

import json
import threading
import time
from typing import Any, Self

import httpx

COUNT = 3
EACH_SECONDS = 0.1
SLOW_SECONDS = 2.0
MERGE = {"Content-Type": "application/merge-patch+json"}


class Nodes:
    """Use as a context manager around everything that makes pods."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="nodes", daemon=True)

    def __enter__(self) -> Self:
        for number in range(COUNT):
            self._add(f"pretended-{number}")
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._ending.set()
        self._thread.join()
        self._client.close()

    def _add(self, name: str) -> None:
        labels = {"kubernetes.io/hostname": name}
        self._client.post("/api/v1/nodes", json={"metadata": {"name": name, "labels": labels}})
        # A new node is tainted until somebody says that it is ready.
        self._merge(f"/api/v1/nodes/{name}", {"spec": {"taints": None}})
        ready = {"type": "Ready", "status": "True", "reason": "Pretended", "message": ""}
        self._merge(f"/api/v1/nodes/{name}/status", {"status": {"conditions": [ready]}})

    def _run(self) -> None:
        while not self._ending.wait(EACH_SECONDS):
            for pod in self._client.get("/api/v1/pods").json()["items"]:
                self._look_after(pod)

    def _look_after(self, pod: dict[str, Any]) -> None:
        metadata = pod["metadata"]
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
        if "deletionTimestamp" in metadata:
            self._client.request("DELETE", path, json={"gracePeriodSeconds": 0})
            return
        status = _status(pod)
        has = pod.get("status") or {}
        if any(has.get(name) != part for name, part in status.items() if name != "conditions") or (
            _ready(has) != _ready(status)
        ):
            self._merge(f"{path}/status", {"status": status})

    def _merge(self, path: str, body: dict[str, Any]) -> None:
        self._client.patch(path, content=json.dumps(body), headers=MERGE)


def _status(pod: dict[str, Any]) -> dict[str, Any]:
    """What a node would say of the pod."""
    tags = [each["image"].rpartition(":")[2] for each in pod["spec"]["containers"]]
    states = [
        _container(each, tag) for each, tag in zip(pod["spec"]["containers"], tags, strict=True)
    ]
    is_young = _age(pod) < SLOW_SECONDS and any(tag.startswith("slow") for tag in tags)
    is_ready = all(each["ready"] for each in states) and not is_young
    conditions = [
        {"type": kind, "status": "True" if is_ready else "False"}
        for kind in ("Ready", "ContainersReady")
    ]
    is_pending = any(tag.startswith("missing") for tag in tags)
    phase = "Pending" if is_pending else "Running"
    return {"phase": phase, "conditions": conditions, "containerStatuses": states}


def _container(container: dict[str, Any], tag: str) -> dict[str, Any]:
    state: dict[str, Any] = {"running": {"startedAt": None}}
    restarts = 0
    if tag.startswith("missing"):
        message = f'Back-off pulling image "{container["image"]}"'
        state = {"waiting": {"reason": "ImagePullBackOff", "message": message}}
    elif tag.startswith("crash"):
        restarts = 1
        message = f"back-off 10s restarting failed container={container['name']}"
        state = {"waiting": {"reason": "CrashLoopBackOff", "message": message}}
    return {
        "name": container["name"],
        "image": container["image"],
        "imageID": "",
        "ready": not tag.startswith(("missing", "crash", "unready")),
        "restartCount": restarts,
        "state": state,
    }


def _ready(status: dict[str, Any]) -> bool:
    conditions = status.get("conditions") or ()
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _age(pod: dict[str, Any]) -> float:
    made = time.strptime(pod["metadata"]["creationTimestamp"], "%Y-%m-%dT%H:%M:%SZ")
    return time.mktime(time.gmtime()) - time.mktime(made)
