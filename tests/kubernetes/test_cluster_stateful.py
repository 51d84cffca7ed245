"""Stateful and daemon sets as their controllers carry them out."""

import time
from typing import Any

import pytest

from .cluster import FakeCluster
from .cluster.manifests import MERGE, STRATEGIC, daemon_set, image, path, stateful_set
from .cluster.waiting import is_rolled_out, until

Json = dict[str, Any]
HASH = "controller-revision-hash"


def db(cluster: FakeCluster, namespace: str) -> Json:
    return cluster.api("GET", path(namespace, "statefulsets", "db"))


def images(cluster: FakeCluster, namespace: str) -> dict[str, str]:
    pods = cluster.api("GET", path(namespace, "pods"))["items"]
    return {
        each["metadata"]["name"]: each["spec"]["containers"][0]["image"].removeprefix("app:")
        for each in pods
    }


def deploy(cluster: FakeCluster, namespace: str, tag: str) -> None:
    cluster.api("PATCH", path(namespace, "statefulsets", "db"), image(tag), STRATEGIC)


def made(cluster: FakeCluster, replicas: int = 3, **spec: Any) -> str:
    namespace = cluster.namespace()
    body = stateful_set(replicas=replicas, **spec)
    cluster.api("POST", path(namespace, "statefulsets"), body)
    until(lambda: is_rolled_out(db(cluster, namespace)))
    return namespace


def test_pods_have_ordinals_and_their_revision(cluster: FakeCluster) -> None:
    namespace = made(cluster)
    assert images(cluster, namespace) == {"db-0": "1", "db-1": "1", "db-2": "1"}
    status = db(cluster, namespace)["status"]
    pods = cluster.api("GET", path(namespace, "pods"))["items"]
    assert {each["metadata"]["labels"][HASH] for each in pods} == {status["currentRevision"]}
    (revision,) = cluster.api("GET", path(namespace, "controllerrevisions"))["items"]
    assert revision["metadata"]["name"] == status["updateRevision"]
    assert revision["revision"] == 1


def test_another_image_replaces_pods_from_the_highest_down(cluster: FakeCluster) -> None:
    namespace = made(cluster)
    seen: list[dict[str, str]] = []
    deploy(cluster, namespace, "2")

    def look() -> bool:
        seen.append(images(cluster, namespace))
        return is_rolled_out(db(cluster, namespace))

    until(look)
    seen.append(images(cluster, namespace))
    for each in seen:
        tags = [each.get(f"db-{number}", "") for number in range(3)]
        replaced = [number for number, tag in enumerate(tags) if tag != "1"]
        assert replaced == list(range(3 - len(replaced), 3))
    assert seen[-1] == {"db-0": "2", "db-1": "2", "db-2": "2"}


def test_a_broken_pod_holds_up_even_its_mended_replacement(cluster: FakeCluster) -> None:
    namespace = made(cluster)
    deploy(cluster, namespace, "missing")
    until(lambda: images(cluster, namespace).get("db-2") == "missing")
    deploy(cluster, namespace, "1")
    generation = db(cluster, namespace)["metadata"]["generation"]
    until(lambda: db(cluster, namespace)["status"]["observedGeneration"] == generation)
    time.sleep(0.3)
    assert images(cluster, namespace) == {"db-0": "1", "db-1": "1", "db-2": "missing"}
    cluster.api("DELETE", path(namespace, "pods", "db-2"))
    until(lambda: is_rolled_out(db(cluster, namespace)))
    assert images(cluster, namespace)["db-2"] == "1"


def test_going_back_raises_the_old_revision(cluster: FakeCluster) -> None:
    namespace = made(cluster, replicas=1)
    before = db(cluster, namespace)["status"]["currentRevision"]
    for tag in ("2", "1"):
        deploy(cluster, namespace, tag)
        until(lambda tag=tag: images(cluster, namespace) == {"db-0": tag})  # type: ignore[misc]
        until(lambda: is_rolled_out(db(cluster, namespace)))
    assert db(cluster, namespace)["status"]["currentRevision"] == before
    revisions = cluster.api("GET", path(namespace, "controllerrevisions"))["items"]
    numbers = {each["metadata"]["name"]: each["revision"] for each in revisions}
    assert numbers[before] == 3
    assert len(numbers) == 2


def test_a_partition_keeps_lower_pods_as_they_are(cluster: FakeCluster) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}
    namespace = made(cluster, updateStrategy=strategy)
    deploy(cluster, namespace, "2")
    until(lambda: db(cluster, namespace)["status"].get("updatedReplicas") == 1)
    until(lambda: db(cluster, namespace)["status"].get("readyReplicas") == 3)
    assert images(cluster, namespace) == {"db-0": "1", "db-1": "1", "db-2": "2"}
    status = db(cluster, namespace)["status"]
    assert status["currentRevision"] != status["updateRevision"]
    cluster.api("DELETE", path(namespace, "pods", "db-0"))
    until(lambda: db(cluster, namespace)["status"].get("readyReplicas") == 3)
    until(lambda: images(cluster, namespace).get("db-0") == "1")


@pytest.mark.parametrize(("rolling", "tag"), [({"rollingUpdate": {}}, "unready-2"), ({}, "1")])
def test_a_pod_that_is_deleted_midway_is_made_anew_or_as_it_was(
    cluster: FakeCluster, rolling: dict[str, Any], tag: str
) -> None:
    """As it was, while there are others of its revision, where the strategy has no partition."""
    namespace = made(cluster, updateStrategy={"type": "RollingUpdate", **rolling})
    deploy(cluster, namespace, "unready-2")
    until(lambda: images(cluster, namespace).get("db-2") == "unready-2")
    cluster.api("DELETE", path(namespace, "pods", "db-0"))
    until(lambda: images(cluster, namespace).get("db-0") == tag)


def test_on_delete_waits_for_somebody_to_delete(cluster: FakeCluster) -> None:
    namespace = made(cluster, replicas=2, updateStrategy={"type": "OnDelete"})
    deploy(cluster, namespace, "2")
    generation = db(cluster, namespace)["metadata"]["generation"]
    until(lambda: db(cluster, namespace)["status"]["observedGeneration"] == generation)
    assert images(cluster, namespace) == {"db-0": "1", "db-1": "1"}
    cluster.api("DELETE", path(namespace, "pods", "db-0"))
    until(lambda: images(cluster, namespace) == {"db-0": "2", "db-1": "1"})


def test_pods_in_parallel_do_not_wait_for_each_other(cluster: FakeCluster) -> None:
    namespace = cluster.namespace()
    body = stateful_set(replicas=3, image="app:unready", podManagementPolicy="Parallel")
    cluster.api("POST", path(namespace, "statefulsets"), body)
    until(lambda: len(images(cluster, namespace)) == 3)


def test_pods_in_order_wait_for_each_other(cluster: FakeCluster) -> None:
    namespace = cluster.namespace()
    body = stateful_set(replicas=3, image="app:unready")
    cluster.api("POST", path(namespace, "statefulsets"), body)
    until(lambda: db(cluster, namespace).get("status", {}).get("replicas") == 1)
    time.sleep(0.2)
    assert list(images(cluster, namespace)) == ["db-0"]


def test_scaling_down_takes_the_highest(cluster: FakeCluster) -> None:
    namespace = made(cluster)
    scale = path(namespace, "statefulsets", "db", "scale")
    cluster.api("PATCH", scale, {"spec": {"replicas": 1}}, MERGE)
    until(lambda: list(images(cluster, namespace)) == ["db-0"])


@pytest.fixture
def on_nodes(cluster: FakeCluster) -> str:
    """A namespace with a daemon set that runs everywhere."""
    namespace = cluster.namespace()
    cluster.api("POST", path(namespace, "daemonsets"), daemon_set())
    until(lambda: is_everywhere(cluster, namespace))
    return namespace


def is_everywhere(cluster: FakeCluster, namespace: str) -> bool:
    found = cluster.api("GET", path(namespace, "daemonsets", "log"))
    status = found.get("status", {})
    counts = ("updatedNumberScheduled", "numberAvailable", "numberReady")
    wanted = status.get("desiredNumberScheduled")
    is_seen = status.get("observedGeneration") == found["metadata"]["generation"]
    return bool(is_seen and wanted and all(status.get(each) == wanted for each in counts))


def test_a_daemon_set_runs_on_every_node(cluster: FakeCluster, on_nodes: str) -> None:
    pods = cluster.api("GET", path(on_nodes, "pods"))["items"]
    nodes = cluster.api("GET", "/api/v1/nodes")["items"]
    names = sorted(each["metadata"]["name"] for each in nodes)
    assert sorted(each["spec"]["nodeName"] for each in pods) == names


def test_a_daemon_asks_for_its_node(cluster: FakeCluster, on_nodes: str) -> None:
    for pod in cluster.api("GET", path(on_nodes, "pods"))["items"]:
        affinity = pod["spec"]["affinity"]["nodeAffinity"]
        ((term,),) = affinity["requiredDuringSchedulingIgnoredDuringExecution"].values()
        assert term["matchFields"][0]["values"] == [pod["spec"]["nodeName"]]


def test_a_daemon_set_is_updated_node_by_node(cluster: FakeCluster, on_nodes: str) -> None:
    where = path(on_nodes, "daemonsets", "log")
    cluster.api("PATCH", where, image("2"), STRATEGIC)
    until(lambda: is_everywhere(cluster, on_nodes))
    assert set(images(cluster, on_nodes).values()) == {"2"}


def test_a_broken_daemon_stops_at_one_node(cluster: FakeCluster, on_nodes: str) -> None:
    where = path(on_nodes, "daemonsets", "log")
    cluster.api("PATCH", where, image("missing"), STRATEGIC)
    until(lambda: "missing" in images(cluster, on_nodes).values())
    time.sleep(0.2)
    count = list(images(cluster, on_nodes).values()).count("missing")
    assert count == 1
    assert cluster.api("GET", where)["status"]["numberUnavailable"] == 1
    cluster.api("PATCH", where, image("1"), STRATEGIC)
    until(lambda: is_everywhere(cluster, on_nodes))
    assert set(images(cluster, on_nodes).values()) == {"1"}


def test_daemons_on_delete_wait(cluster: FakeCluster, on_nodes: str) -> None:
    where = path(on_nodes, "daemonsets", "log")
    strategy = {"$retainKeys": ["type"], "type": "OnDelete"}
    cluster.api("PATCH", where, {"spec": {"updateStrategy": strategy}}, STRATEGIC)
    cluster.api("PATCH", where, image("2"), STRATEGIC)
    time.sleep(0.2)
    name, *_ = images(cluster, on_nodes)
    assert set(images(cluster, on_nodes).values()) == {"1"}
    cluster.api("DELETE", path(on_nodes, "pods", name))
    until(lambda: "2" in images(cluster, on_nodes).values())
