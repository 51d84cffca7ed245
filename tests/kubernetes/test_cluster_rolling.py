"""How far a rolling update may go at any moment."""

from typing import Any

import pytest

from .cluster import FakeCluster
from .cluster.manifests import STRATEGIC, deployment, image, path
from .cluster.waiting import condition, is_rolled_out, until

Json = dict[str, Any]


def status(cluster: FakeCluster, namespace: str) -> Json:
    found: Json = cluster.api("GET", path(namespace, "deployments", "web")).get("status", {})
    return found


def rolled_out(cluster: FakeCluster, namespace: str) -> bool:
    return is_rolled_out(cluster.api("GET", path(namespace, "deployments", "web")))


def made(cluster: FakeCluster, surge: Any, unavailable: Any, replicas: int) -> str:
    namespace = cluster.namespace()
    rolling = {"maxSurge": surge, "maxUnavailable": unavailable}
    body = deployment(replicas=replicas, strategy={"rollingUpdate": rolling})
    cluster.api("POST", path(namespace, "deployments"), body)
    until(lambda: rolled_out(cluster, namespace))
    return namespace


@pytest.mark.parametrize(
    ("surge", "unavailable", "most", "least"),
    [(1, 0, 5, 4), (0, 1, 4, 3), ("25%", "25%", 5, 3), ("50%", 0, 6, 4), (0, "10%", 4, 3)],
)
def test_there_are_never_too_many_or_too_few(
    cluster: FakeCluster, surge: int | str, unavailable: int | str, most: int, least: int
) -> None:
    namespace = made(cluster, surge, unavailable, replicas=4)
    cluster.api("PATCH", path(namespace, "deployments", "web"), image("2"), STRATEGIC)
    seen: list[tuple[int, int]] = []

    def look() -> bool:
        # A pod that is to go may still be there when the one that takes its place already is.
        sets = cluster.api("GET", path(namespace, "replicasets"))["items"]
        wanted = sum(each["spec"]["replicas"] for each in sets)
        pods = cluster.api("GET", path(namespace, "pods"))["items"]
        active = [each for each in pods if "deletionTimestamp" not in each["metadata"]]
        ready = [each for each in active if condition(each, "Ready").get("status") == "True"]
        seen.append((wanted, len(ready)))
        return rolled_out(cluster, namespace)

    until(look)
    assert max(wanted for wanted, _ in seen) <= most
    assert min(ready for _, ready in seen) >= least


def test_a_broken_image_takes_no_more_than_is_allowed(cluster: FakeCluster) -> None:
    namespace = made(cluster, 1, 1, replicas=4)
    cluster.api("PATCH", path(namespace, "deployments", "web"), image("missing"), STRATEGIC)
    until(lambda: status(cluster, namespace).get("updatedReplicas") == 2)
    until(lambda: status(cluster, namespace).get("availableReplicas") == 3)
    assert status(cluster, namespace)["replicas"] == 5


def test_a_third_image_ends_both_others(cluster: FakeCluster) -> None:
    namespace = made(cluster, 1, 0, replicas=3)
    for tag in ("missing", "3"):
        cluster.api("PATCH", path(namespace, "deployments", "web"), image(tag), STRATEGIC)
    until(lambda: rolled_out(cluster, namespace))
    sets = cluster.api("GET", path(namespace, "replicasets"))["items"]
    assert sorted(each["spec"]["replicas"] for each in sets)[-2:] == [0, 3]
    assert status(cluster, namespace)["availableReplicas"] == 3
