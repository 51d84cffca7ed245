"""How pods fare: what a deployment tool reads from them, and from events."""

from typing import Any

import pytest

from .cluster import FakeCluster
from .cluster.manifests import MERGE, path, pod
from .cluster.waiting import condition, until

Json = dict[str, Any]


def made(cluster: FakeCluster, image: str, **metadata: Any) -> str:
    pods = path(cluster.namespace(), "pods")
    cluster.api("POST", pods, pod(image=image, **metadata))
    return f"{pods}/alone"


def container(cluster: FakeCluster, where: str) -> Json:
    found = cluster.api("GET", where)["status"].get("containerStatuses") or [{}]
    return dict(found[0])


def waiting(cluster: FakeCluster, where: str) -> Json:
    found: Json = container(cluster, where).get("state", {}).get("waiting", {})
    return found


def events(cluster: FakeCluster, where: str) -> set[str]:
    uid = cluster.api("GET", where)["metadata"]["uid"]
    namespace = where.split("/")[4]
    selector = f"involvedObject.uid={uid},involvedObject.kind=Pod"
    found = cluster.api("GET", path(namespace, "events"), fieldSelector=selector)["items"]
    return {each["reason"] for each in found}


def test_a_pod_runs_and_is_ready(cluster: FakeCluster) -> None:
    where = made(cluster, "app:1")
    until(lambda: condition(cluster.api("GET", where), "Ready").get("status") == "True")
    found = cluster.api("GET", where)
    assert found["status"]["phase"] == "Running"
    assert found["spec"]["nodeName"]
    assert container(cluster, where)["state"]["running"]["startedAt"]


@pytest.mark.only_fake("it may be without the plugin that gives pods an account")
def test_a_pod_has_an_account(cluster: FakeCluster) -> None:
    assert cluster.api("GET", made(cluster, "app:1"))["spec"]["serviceAccountName"] == "default"


def test_an_image_that_is_missing_is_pulled_again_and_again(cluster: FakeCluster) -> None:
    where = made(cluster, "app:missing-1")
    until(lambda: waiting(cluster, where).get("reason") == "ImagePullBackOff")
    said = waiting(cluster, where)["message"]
    assert said.startswith('Back-off pulling image "app:missing-1"')
    assert cluster.api("GET", where)["status"]["phase"] == "Pending"
    until(lambda: {"Failed", "BackOff"} <= events(cluster, where))


def test_a_container_that_crashes_is_started_again_and_again(cluster: FakeCluster) -> None:
    where = made(cluster, "app:crash")
    until(lambda: waiting(cluster, where).get("reason") == "CrashLoopBackOff")
    found = container(cluster, where)
    assert found["restartCount"] >= 1
    assert found["lastState"]["terminated"]["exitCode"] == 1
    assert found["lastState"]["terminated"]["reason"] == "Error"
    count = found["restartCount"]
    until(lambda: container(cluster, where)["restartCount"] > count)


def test_a_container_may_run_and_never_be_ready(cluster: FakeCluster) -> None:
    where = made(cluster, "app:unready")
    until(lambda: cluster.api("GET", where)["status"]["phase"] == "Running")
    found = condition(cluster.api("GET", where), "Ready")
    assert (found["status"], found["reason"]) == ("False", "ContainersNotReady")


def test_a_container_may_take_its_time(cluster: FakeCluster) -> None:
    where = made(cluster, "app:slow")
    until(lambda: cluster.api("GET", where)["status"]["phase"] == "Running")
    assert not container(cluster, where)["ready"]
    until(lambda: container(cluster, where)["ready"])


def test_a_pod_without_a_place_is_pending(cluster: FakeCluster) -> None:
    where = made(cluster, "app:1", annotations={"test.lastgood.io/unschedulable": "true"})
    until(lambda: condition(cluster.api("GET", where), "PodScheduled"))
    found = condition(cluster.api("GET", where), "PodScheduled")
    assert (found["status"], found["reason"]) == ("False", "Unschedulable")
    assert found["message"] == "0/3 nodes are available: 3 Insufficient cpu."
    assert "FailedScheduling" in events(cluster, where)
    freed = {"metadata": {"annotations": {"test.lastgood.io/unschedulable": None}}}
    cluster.api("PATCH", where, freed, MERGE)
    until(lambda: cluster.api("GET", where)["status"]["phase"] == "Running")


def test_a_pod_that_has_no_node_is_gone_at_once(cluster: FakeCluster) -> None:
    where = made(cluster, "app:1", annotations={"test.lastgood.io/unschedulable": "true"})
    cluster.api("DELETE", where)
    assert not cluster.api("GET", where.rpartition("/")[0])["items"]


def test_a_pod_ends_when_its_time_has_come(cluster: FakeCluster) -> None:
    where = made(cluster, "app:1", annotations={"test.lastgood.io/terminates-after": "1"})
    until(lambda: cluster.api("GET", where)["status"]["phase"] == "Running")
    going = cluster.api("DELETE", where)
    assert going["metadata"]["deletionGracePeriodSeconds"] == 30
    assert cluster.api("GET", where)["metadata"]["deletionTimestamp"]
    pods = where.rpartition("/")[0]
    until(lambda: not cluster.api("GET", pods)["items"])


def test_a_pod_with_a_finalizer_stays(cluster: FakeCluster) -> None:
    where = made(cluster, "app:1", finalizers=["example.com/wait"])
    until(lambda: cluster.api("GET", where)["status"]["phase"] == "Running")
    cluster.api("DELETE", where)
    until(lambda: cluster.api("GET", where)["metadata"]["deletionGracePeriodSeconds"] == 0)
    cluster.api("PATCH", where, {"metadata": {"finalizers": None}}, MERGE)
    assert not cluster.api("GET", where.rpartition("/")[0])["items"]


@pytest.mark.parametrize("phase", ["Running", "Pending"])
def test_pods_are_found_by_their_phase(cluster: FakeCluster, phase: str) -> None:
    where = made(cluster, "app:1" if phase == "Running" else "app:missing")
    until(lambda: cluster.api("GET", where)["status"].get("containerStatuses"))
    until(lambda: cluster.api("GET", where)["status"]["phase"] == phase)
    pods = where.rpartition("/")[0]
    assert len(cluster.api("GET", pods, fieldSelector=f"status.phase={phase}")["items"]) == 1
