"""What a process counts because the database does not know it: gone when the process is.

Workers leave a copy in their row (`WorkerSeen.counts`) every few seconds, so that any web process
can tell it; what a web process counts, only that process tells.
"""

import os
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.metrics_core import Metric

REGISTRY = CollectorRegistry()
HINTS = Counter(
    "lastgood_hints",
    "Messages that wake a worker; a lost one (the broker took none) costs a sweep.",
    ["result"],
    registry=REGISTRY,
)
LEASES_LOST = Counter(
    "lastgood_leases_lost",
    "Executions that another worker took over while this one thought to have them.",
    registry=REGISTRY,
)
CALLS_REFUSED = Counter(
    "lastgood_api_calls_refused",
    "Calls of /graphql answered 401 (unknown), 403 (forged) or 429 (too many).",
    ["status"],
    registry=REGISTRY,
)
STEP_SECONDS = Histogram(
    "lastgood_step_seconds",
    "From a step's first beginning to its end, whatever the end.",
    ["kind", "direction"],
    registry=REGISTRY,
    buckets=(0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600),
)
Snapshot = list[list[Any]]  # [metric, sample, labels, value]


def process_name() -> str:
    """Tells this process from every other one."""
    return f"{socket.gethostname()}:{os.getpid()}"


@contextmanager
def hint() -> Iterator[None]:
    """Around sending one: counts whether the broker took it."""
    try:
        yield
    except Exception:
        HINTS.labels("lost").inc()
        raise
    HINTS.labels("sent").inc()


def snapshot() -> Snapshot:
    """Everything counted so far, as JSON can hold it."""
    return [
        [metric.name, sample.name, sample.labels, sample.value]
        for metric in REGISTRY.collect()
        for sample in metric.samples
        if not sample.name.endswith("_created")
    ]


def merged(snapshots: Mapping[str, Snapshot]) -> Iterable[Metric]:
    """The metrics of several processes, each sample with its process; what we do not know is left.

    A worker of another release may count what this one does not.
    """
    found = {
        each.name: Metric(each.name, each.documentation, each.type) for each in REGISTRY.collect()
    }
    for process, samples in snapshots.items():
        for name, sample, labels, value in samples:
            if name in found:
                found[name].add_sample(sample, {**labels, "process": process}, value)
    return found.values()
