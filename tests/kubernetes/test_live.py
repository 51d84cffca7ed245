"""What a person sees while a rollout goes on, and how little is asked of the cluster for it."""

from typing import Any

import pytest

from rollbacks.platforms.base import PlatformError, Running
from rollbacks.platforms.kubernetes import rollouts
from tests.kubernetes import manifests
from tests.kubernetes.bench import Bench, bench_in, done
from tests.kubernetes.manifests import NAME
from tests.kubernetes.wire import Wire
from tests.nightly import IS_NIGHTLY

AT_MOST = 6
SIZES = [("Deployment", 50), ("StatefulSet", 3), ("DaemonSet", 3)]
if IS_NIGHTLY:
    SIZES += [("Deployment", 3), ("StatefulSet", 50)]


def shop_of(cluster: Any, kind: str, replicas: int, **spec: Any) -> Bench:
    workload = manifests.workload(kind, replicas=replicas, **spec)
    return bench_in(cluster, manifests.written(workload), workloads=[f"{kind}/{NAME}"])


def asked(wire: Wire) -> tuple[int, int]:
    """How many requests there were, and how many watches."""
    watches = sum(each.is_watch for each in wire.sent)
    found = len(wire.sent) - watches, watches
    wire.sent.clear()
    return found


@pytest.mark.parametrize(("kind", "replicas"), SIZES)
def test_a_rollout_takes_few_requests_and_one_watch_however_many_pods(
    cluster: Any, wire: Wire, monkeypatch: pytest.MonkeyPatch, kind: str, replicas: int
) -> None:
    for patience in ("FIRST_ASKED_AFTER", "STUCK_AFTER"):  # a busy machine is no rollout that hangs
        monkeypatch.setattr(rollouts, patience, 60.0)
    bench = shop_of(cluster, kind, replicas)
    for release in ("1-1", "2-2"):
        done(bench.deploy(release, 60))
        requests, watches = asked(wire)
        assert (requests <= AT_MOST, watches) == (True, 1)
    done(bench.roll_back("2-2", 60))
    requests, watches = asked(wire)
    assert (requests <= AT_MOST, watches) == (True, 1)
    bench.observe()
    assert asked(wire) <= (AT_MOST, 0)


HANGS = [
    ("2-missing", {}, "ImagePullBackOff"),
    ("2-crash", {}, "CrashLoopBackOff"),
    ("2-unready", {}, "app: running, but not ready"),
    ("2-2", {"annotations": {"test.lastgood.io/unschedulable": "true"}}, "FailedScheduling"),
]


@pytest.mark.parametrize(("release", "fields", "said"), HANGS, ids=lambda each: str(each)[:20])
def test_a_rollout_that_hangs_says_why_and_asks_little(
    cluster: Any, wire: Wire, release: str, fields: dict[str, Any], said: str
) -> None:
    bench = shop_of(cluster, "Deployment", 3)
    done(bench.deploy("1-1"))
    bench.manifests = manifests.written(manifests.workload(**fields))
    wire.sent.clear()
    hung = bench.deploy(release, 20, until=said)
    assert isinstance(hung, Running)
    (outcome,) = bench.control.outcomes.values()
    assert said in outcome.message
    requests, watches = asked(wire)
    assert (requests <= AT_MOST, watches) == (True, 1), "it hammers"


def test_what_a_probe_says_is_told(cluster: Any) -> None:
    bench = shop_of(cluster, "Deployment", 1)
    assert isinstance(bench.deploy("1-unready", 2), Running)
    core = f"/api/v1/namespaces/{bench.namespace}"
    (pod,) = cluster.api("GET", f"{core}/pods")["items"]
    named = {name: pod["metadata"][name] for name in ("name", "namespace", "uid")}
    event = {
        "metadata": {"name": "probed"},
        "involvedObject": {"kind": "Pod", "apiVersion": "v1", **named},
        "type": "Warning",
        "reason": "Unhealthy",
        "message": "Readiness probe failed: HTTP probe failed with statuscode: 503",
        "lastTimestamp": pod["metadata"]["creationTimestamp"],
    }
    cluster.api("POST", f"{core}/events", event)
    assert isinstance(bench.deploy("1-unready", 5), Running)
    (outcome,) = bench.control.outcomes.values()
    assert f"{named['name']}: app: running, but not ready; Unhealthy: Readiness" in outcome.message


def test_a_rollout_that_kubernetes_gives_up_has_failed_at_once(cluster: Any) -> None:
    bench = shop_of(cluster, "Deployment", 3, progressDeadlineSeconds=2)
    done(bench.deploy("1-1"))
    with pytest.raises(PlatformError, match="ProgressDeadlineExceeded") as caught:
        bench.deploy("2-missing", 60)
    assert caught.value.permanent
