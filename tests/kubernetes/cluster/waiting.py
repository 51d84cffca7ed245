"""Waiting for what controllers do: asks again and again, for as long as a test may last."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

Json = dict[str, Any]
Found = TypeVar("Found")
SECONDS = 60.0  # a real cluster may have other things to do, too


def until(look: Callable[[], Found], seconds: float = SECONDS) -> Found:
    """The first answer that is not empty."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
    return found


def condition(obj: Json, kind: str) -> Json:
    """A condition of its status; empty if there is none."""
    found = obj.get("status", {}).get("conditions", [])
    return next((each for each in found if each["type"] == kind), {})


def is_rolled_out(workload: Json) -> bool:
    """A deployment or stateful set runs its present template, and nothing else."""
    status, wanted = workload.get("status", {}), workload["spec"]["replicas"]
    if status.get("observedGeneration") != workload["metadata"]["generation"]:
        return False
    if status.get("currentRevision") != status.get("updateRevision"):
        return False
    counts = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    return all(status.get(each, 0) == wanted for each in counts)
