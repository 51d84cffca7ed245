"""Deployments as their controllers carry them out."""

import time
from typing import Any

import pytest

from .cluster import FakeCluster
from .cluster.manifests import MERGE, STRATEGIC, deployment, image, path, pod
from .cluster.waiting import condition, is_rolled_out, until

Json = dict[str, Any]
REVISION = "deployment.kubernetes.io/revision"


def get(cluster: FakeCluster, namespace: str, name: str = "web") -> Json:
    return cluster.api("GET", path(namespace, "deployments", name))


def deploy(cluster: FakeCluster, namespace: str, tag: str) -> None:
    cluster.api("PATCH", path(namespace, "deployments", "web"), image(tag), STRATEGIC)


def rolled_out(cluster: FakeCluster, namespace: str) -> Json:
    def look() -> Json | None:
        found = get(cluster, namespace)
        is_available = condition(found, "Progressing").get("reason") == "NewReplicaSetAvailable"
        return found if is_rolled_out(found) and is_available else None

    found = until(look)
    assert found
    return found


def listed(cluster: FakeCluster, namespace: str, plural: str) -> list[Json]:
    found: list[Json] = cluster.api("GET", path(namespace, plural))["items"]
    return found


def sets_by_image(cluster: FakeCluster, namespace: str) -> dict[str, Json]:
    found = listed(cluster, namespace, "replicasets")
    return {each["spec"]["template"]["spec"]["containers"][0]["image"]: each for each in found}


@pytest.fixture
def namespace(cluster: FakeCluster) -> str:
    """With a deployment of three replicas of app:1 that is rolled out."""
    made = cluster.namespace()
    cluster.api("POST", path(made, "deployments"), deployment(replicas=3))
    rolled_out(cluster, made)
    return made


def test_a_deployment_comes_up(cluster: FakeCluster, namespace: str) -> None:
    found = get(cluster, namespace)
    assert found["metadata"]["annotations"][REVISION] == "1"
    assert condition(found, "Available")["reason"] == "MinimumReplicasAvailable"
    assert condition(found, "Progressing")["status"] == "True"
    (replica_set,) = listed(cluster, namespace, "replicasets")
    code = replica_set["metadata"]["labels"]["pod-template-hash"]
    assert replica_set["metadata"]["name"] == f"web-{code}"
    assert replica_set["spec"]["selector"]["matchLabels"]["pod-template-hash"] == code
    for each in listed(cluster, namespace, "pods"):
        assert each["metadata"]["name"].startswith(f"web-{code}-")
        assert each["metadata"]["labels"]["pod-template-hash"] == code
        (owner,) = each["metadata"]["ownerReferences"]
        assert (owner["uid"], owner["controller"]) == (replica_set["metadata"]["uid"], True)


def test_another_image_is_rolled_out_by_another_replica_set(
    cluster: FakeCluster, namespace: str
) -> None:
    deploy(cluster, namespace, "2")
    found = rolled_out(cluster, namespace)
    assert found["metadata"]["annotations"][REVISION] == "2"
    sets = sets_by_image(cluster, namespace)
    assert [sets[each]["spec"]["replicas"] for each in ("app:1", "app:2")] == [0, 3]


def test_going_back_finds_the_old_replica_set_again(cluster: FakeCluster, namespace: str) -> None:
    before = sets_by_image(cluster, namespace)["app:1"]["metadata"]["uid"]
    deploy(cluster, namespace, "2")
    rolled_out(cluster, namespace)
    deploy(cluster, namespace, "1")
    found = rolled_out(cluster, namespace)
    again = sets_by_image(cluster, namespace)["app:1"]["metadata"]
    assert again["uid"] == before
    assert again["annotations"][REVISION] == "3"
    assert again["annotations"]["deployment.kubernetes.io/revision-history"] == "1"
    assert found["metadata"]["annotations"][REVISION] == "3"
    assert len(sets_by_image(cluster, namespace)) == 2


@pytest.mark.parametrize("tag", ["missing", "crash", "unready"])
def test_an_image_that_does_not_come_up_leaves_the_old_one_running(
    cluster: FakeCluster, namespace: str, tag: str
) -> None:
    deploy(cluster, namespace, tag)
    until(lambda: get(cluster, namespace)["status"].get("updatedReplicas") == 1)
    status = get(cluster, namespace)["status"]
    assert (status["availableReplicas"], status["unavailableReplicas"]) == (3, 1)
    sets = sets_by_image(cluster, namespace)
    assert [sets[each]["spec"]["replicas"] for each in ("app:1", f"app:{tag}")] == [3, 1]


def test_a_rollout_is_turned_around_midway(cluster: FakeCluster, namespace: str) -> None:
    deploy(cluster, namespace, "missing")
    until(lambda: get(cluster, namespace)["status"].get("unavailableReplicas"))
    deploy(cluster, namespace, "1")
    rolled_out(cluster, namespace)
    assert sets_by_image(cluster, namespace)["app:missing"]["spec"]["replicas"] == 0


def test_a_deadline_that_passes_is_told(cluster: FakeCluster, namespace: str) -> None:
    where = path(namespace, "deployments", "web")
    cluster.api("PATCH", where, {"spec": {"progressDeadlineSeconds": 1}}, MERGE)
    deploy(cluster, namespace, "missing")
    until(lambda: condition(get(cluster, namespace), "Progressing")["status"] == "False")
    found = condition(get(cluster, namespace), "Progressing")
    assert found["reason"] == "ProgressDeadlineExceeded"
    assert found["message"].endswith("has timed out progressing.")
    assert condition(get(cluster, namespace), "Available")["status"] == "True"


def test_a_paused_deployment_changes_nothing(cluster: FakeCluster, namespace: str) -> None:
    where = path(namespace, "deployments", "web")
    cluster.api("PATCH", where, {"spec": {"paused": True}}, MERGE)
    deploy(cluster, namespace, "2")
    generation = get(cluster, namespace)["metadata"]["generation"]
    until(lambda: get(cluster, namespace)["status"]["observedGeneration"] == generation)
    found = get(cluster, namespace)
    assert condition(found, "Progressing")["reason"] == "DeploymentPaused"
    assert list(sets_by_image(cluster, namespace)) == ["app:1"]
    cluster.api("PATCH", where, {"spec": {"paused": None}}, MERGE)
    rolled_out(cluster, namespace)
    assert sets_by_image(cluster, namespace)["app:2"]["spec"]["replicas"] == 3


def test_a_paused_deployment_may_still_be_scaled_and_then_rests(
    cluster: FakeCluster, namespace: str
) -> None:
    where = path(namespace, "deployments", "web")
    cluster.api("PATCH", where, {"spec": {"paused": True, "replicas": 5}}, MERGE)
    until(lambda: get(cluster, namespace)["status"].get("readyReplicas") == 5)

    def rests() -> bool:
        before = get(cluster, namespace)
        time.sleep(0.3)
        return get(cluster, namespace) == before

    until(rests)


def test_scaling_does_not_make_a_revision(cluster: FakeCluster, namespace: str) -> None:
    where = path(namespace, "deployments", "web", "scale")
    cluster.api("PATCH", where, {"spec": {"replicas": 1}}, MERGE)
    found = rolled_out(cluster, namespace)
    assert found["metadata"]["annotations"][REVISION] == "1"
    until(lambda: len(listed(cluster, namespace, "pods")) == 1)


def test_recreate_ends_all_before_it_begins_any(cluster: FakeCluster) -> None:
    namespace = cluster.namespace()
    slow = {"test.lastgood.io/terminates-after": "0.3"}
    body = deployment(replicas=2, strategy={"type": "Recreate"})
    body["spec"]["template"]["metadata"]["annotations"] = slow
    cluster.api("POST", path(namespace, "deployments"), body)
    rolled_out(cluster, namespace)
    deploy(cluster, namespace, "2")
    images = set[frozenset[str]]()

    def look() -> bool:
        pods = listed(cluster, namespace, "pods")
        images.add(frozenset(each["spec"]["containers"][0]["image"] for each in pods))
        return images >= {frozenset({"app:1"}), frozenset({"app:2"})}

    until(look)
    assert frozenset({"app:1", "app:2"}) not in images
    rolled_out(cluster, namespace)


def test_only_so_much_history_is_kept(cluster: FakeCluster, namespace: str) -> None:
    where = path(namespace, "deployments", "web")
    cluster.api("PATCH", where, {"spec": {"revisionHistoryLimit": 1}}, MERGE)
    for tag in ("2", "3"):
        deploy(cluster, namespace, tag)
        rolled_out(cluster, namespace)
    until(lambda: set(sets_by_image(cluster, namespace)) == {"app:2", "app:3"})


def test_a_quota_that_is_exceeded_is_told(cluster: FakeCluster, namespace: str) -> None:
    body = {"metadata": {"name": "few"}, "spec": {"hard": {"pods": "3"}}}
    cluster.api("POST", path(namespace, "resourcequotas"), body)
    where = path(namespace, "resourcequotas", "few")
    until(lambda: cluster.api("GET", where).get("status", {}).get("used") == {"pods": "3"})
    deploy(cluster, namespace, "2")
    until(lambda: condition(get(cluster, namespace), "ReplicaFailure"))
    failure = condition(get(cluster, namespace), "ReplicaFailure")
    assert (failure["status"], failure["reason"]) == ("True", "FailedCreate")
    said = "exceeded quota: few, requested: pods=1, used: pods=3, limited: pods=3"
    assert failure["message"].endswith(f"is forbidden: {said}")

    def told() -> list[Json]:
        found = cluster.api("GET", path(namespace, "events"), fieldSelector="reason=FailedCreate")
        return list(found["items"])

    until(told)
    assert told()[0]["involvedObject"]["kind"] == "ReplicaSet"
    cluster.api("DELETE", where)
    rolled_out(cluster, namespace)
    assert not condition(get(cluster, namespace), "ReplicaFailure")


def test_what_a_deployment_owned_goes_with_it(cluster: FakeCluster, namespace: str) -> None:
    cluster.api("DELETE", path(namespace, "deployments", "web"))
    until(lambda: not listed(cluster, namespace, "replicasets"))
    until(lambda: not listed(cluster, namespace, "pods"))


def test_orphans_stay_and_are_adopted(cluster: FakeCluster, namespace: str) -> None:
    where = path(namespace, "deployments", "web")
    pods = {each["metadata"]["uid"] for each in listed(cluster, namespace, "pods")}
    cluster.api("DELETE", where, {"propagationPolicy": "Orphan"})
    until(lambda: not listed(cluster, namespace, "deployments"))
    (replica_set,) = listed(cluster, namespace, "replicasets")
    assert not replica_set["metadata"].get("ownerReferences")
    cluster.api("POST", path(namespace, "deployments"), deployment(replicas=3))
    rolled_out(cluster, namespace)
    (adopted,) = listed(cluster, namespace, "replicasets")
    assert adopted["metadata"]["uid"] == replica_set["metadata"]["uid"]
    assert {each["metadata"]["uid"] for each in listed(cluster, namespace, "pods")} == pods


def test_foreground_deletion_waits_for_what_is_owned(cluster: FakeCluster, namespace: str) -> None:
    where = path(namespace, "deployments", "web")
    going = cluster.api("DELETE", where, {"propagationPolicy": "Foreground"})
    assert going["metadata"]["finalizers"] == ["foregroundDeletion"]
    until(lambda: not listed(cluster, namespace, "deployments"))
    assert not listed(cluster, namespace, "pods")


def test_a_pod_that_is_deleted_is_made_again(cluster: FakeCluster, namespace: str) -> None:
    name = listed(cluster, namespace, "pods")[0]["metadata"]["name"]
    cluster.api("DELETE", path(namespace, "pods", name))

    def look() -> bool:
        names = [each["metadata"]["name"] for each in listed(cluster, namespace, "pods")]
        return len(names) == 3 and name not in names

    until(look)
    rolled_out(cluster, namespace)


def test_what_is_ready_is_available_only_after_a_while(cluster: FakeCluster) -> None:
    namespace = cluster.namespace()
    body = deployment(replicas=1, minReadySeconds=2)
    cluster.api("POST", path(namespace, "deployments"), body)
    until(lambda: get(cluster, namespace).get("status", {}).get("readyReplicas") == 1)
    assert "availableReplicas" not in get(cluster, namespace)["status"]
    until(lambda: get(cluster, namespace)["status"].get("availableReplicas") == 1)


def test_fifty_replicas_take_seconds(cluster: FakeCluster, namespace: str) -> None:
    where = path(namespace, "deployments", "web", "scale")
    cluster.api("PATCH", where, {"spec": {"replicas": 50}}, MERGE)
    rolled_out(cluster, namespace)
    deploy(cluster, namespace, "2")
    rolled_out(cluster, namespace)
    until(lambda: len(listed(cluster, namespace, "pods")) == 50)  # when the last have ended


def test_a_pod_alone_is_nobody_elses(cluster: FakeCluster, namespace: str) -> None:
    cluster.api("POST", path(namespace, "pods"), pod())
    deploy(cluster, namespace, "2")
    rolled_out(cluster, namespace)
    assert cluster.api("GET", path(namespace, "pods", "alone"))
