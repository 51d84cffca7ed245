"""Kinds that nothing happens to are kept all the same; a namespace takes all of them with it."""

from typing import Any

import pytest

from .cluster import ApiError, FakeCluster
from .cluster.manifests import config_map, deployment, path
from .cluster.waiting import until

Json = dict[str, Any]

INGRESS = {
    "metadata": {"name": "web"},
    "spec": {
        "rules": [
            {
                "host": "shop.example.com",
                "http": {
                    "paths": [
                        {
                            "path": "/",
                            "pathType": "Prefix",
                            "backend": {"service": {"name": "web", "port": {"number": 80}}},
                        }
                    ]
                },
            }
        ]
    },
}
BUDGET = {
    "metadata": {"name": "web"},
    "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}},
}
AUTOSCALER = {
    "metadata": {"name": "web"},
    "spec": {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "minReplicas": 2,
        "maxReplicas": 5,
    },
}
LEASE = {"metadata": {"name": "lock"}, "spec": {"holderIdentity": "me", "leaseDurationSeconds": 15}}


@pytest.mark.parametrize(
    ("plural", "body"),
    [
        ("ingresses", INGRESS),
        ("poddisruptionbudgets", BUDGET),
        ("horizontalpodautoscalers", AUTOSCALER),
        ("leases", LEASE),
    ],
)
def test_what_is_written_is_kept(cluster: FakeCluster, plural: str, body: Json) -> None:
    where = path(cluster.namespace(), plural)
    made = cluster.api("POST", where, body)
    for key, value in body["spec"].items():
        assert made["spec"][key] == value
    found = cluster.api("GET", f"{where}/{body['metadata']['name']}")
    assert found["metadata"]["uid"] == made["metadata"]["uid"]


def test_a_collection_is_deleted_by_its_labels(cluster: FakeCluster) -> None:
    maps = path(cluster.namespace(), "configmaps")
    for name, stage in (("a", "test"), ("b", "live")):
        cluster.api("POST", maps, config_map(name, labels={"stage": stage}))
    cluster.api("DELETE", maps, labelSelector="stage=test")
    left = cluster.api("GET", maps, labelSelector="stage")["items"]
    assert [each["metadata"]["name"] for each in left] == ["b"]


def test_a_namespace_goes_with_all_that_is_in_it(cluster: FakeCluster) -> None:
    namespace = cluster.namespace()
    held = config_map()
    held["metadata"]["finalizers"] = ["example.com/wait"]
    cluster.api("POST", path(namespace, "configmaps"), held)
    cluster.api("POST", path(namespace, "deployments"), deployment(replicas=2))
    cluster.api("DELETE", f"/api/v1/namespaces/{namespace}")
    until(lambda: not cluster.api("GET", path(namespace, "pods"))["items"])
    assert cluster.api("GET", f"/api/v1/namespaces/{namespace}")["status"]["phase"] == "Terminating"
    with pytest.raises(ApiError) as caught:
        cluster.api("POST", path(namespace, "configmaps"), config_map("late"))
    assert caught.value.status == 403
    assert "because it is being terminated" in caught.value.body["message"]
    kind = "application/merge-patch+json"
    freed = {"metadata": {"finalizers": None}}
    cluster.api("PATCH", path(namespace, "configmaps", "settings"), freed, kind)
    until(lambda: is_gone(cluster, namespace))


def is_gone(cluster: FakeCluster, namespace: str) -> bool:
    try:
        cluster.api("GET", f"/api/v1/namespaces/{namespace}")
    except ApiError as error:
        return error.status == 404
    return False
