"""The three patches that are not an apply, and the scale."""

from typing import Any

import pytest

from .cluster import ApiError, FakeCluster
from .cluster.manifests import JSON_PATCH, MERGE, STRATEGIC, deployment, image, path


def two_containers() -> dict[str, Any]:
    body = deployment(replicas=0)
    containers = body["spec"]["template"]["spec"]["containers"]
    containers[0]["env"] = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    containers[0]["ports"] = [{"containerPort": 80}]
    containers.append({"name": "side", "image": "side:1"})
    return body


@pytest.fixture
def web(cluster: FakeCluster) -> str:
    where = path(cluster.namespace(), "deployments")
    cluster.api("POST", where, two_containers())
    return f"{where}/web"


def containers(obj: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = obj["spec"]["template"]["spec"]["containers"]
    return found


def in_pod(**spec: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": spec}}}


def test_a_strategic_patch_keeps_other_containers(cluster: FakeCluster, web: str) -> None:
    patched = containers(cluster.api("PATCH", web, image("2"), STRATEGIC))
    assert {each["name"]: each["image"] for each in patched} == {"web": "app:2", "side": "side:1"}
    assert patched[0]["ports"][0]["containerPort"] == 80


def test_a_strategic_patch_merges_variables_by_name(cluster: FakeCluster, web: str) -> None:
    variables = [{"name": "B", "value": "3"}, {"name": "C", "value": "4"}]
    patch = in_pod(containers=[{"name": "web", "env": variables}])
    patched = containers(cluster.api("PATCH", web, patch, STRATEGIC))[0]["env"]
    assert {each["name"]: each["value"] for each in patched} == {"A": "1", "B": "3", "C": "4"}


def test_a_strategic_patch_deletes_what_it_names(cluster: FakeCluster, web: str) -> None:
    patch = in_pod(containers=[{"name": "side", "$patch": "delete"}])
    patched = containers(cluster.api("PATCH", web, patch, STRATEGIC))
    assert [each["name"] for each in patched] == ["web"]


def test_a_strategic_patch_replaces_a_list_if_told_to(cluster: FakeCluster, web: str) -> None:
    patch = in_pod(containers=[{"name": "new", "image": "new:1"}, {"$patch": "replace"}])
    patched = containers(cluster.api("PATCH", web, patch, STRATEGIC))
    assert [each["name"] for each in patched] == ["new"]


def test_a_strategic_patch_sets_an_order(cluster: FakeCluster, web: str) -> None:
    order = [{"name": "side"}, {"name": "web"}]
    patch = in_pod(**{"$setElementOrder/containers": order, "containers": [{"name": "web"}]})
    patched = containers(cluster.api("PATCH", web, patch, STRATEGIC))
    assert [each["name"] for each in patched] == ["side", "web"]


def test_a_strategic_patch_retains_only_the_named_keys(cluster: FakeCluster, web: str) -> None:
    strategy = {"$retainKeys": ["type"], "type": "Recreate"}
    patched = cluster.api("PATCH", web, {"spec": {"strategy": strategy}}, STRATEGIC)
    assert patched["spec"]["strategy"] == {"type": "Recreate"}


def test_a_merge_patch_replaces_lists_whole(cluster: FakeCluster, web: str) -> None:
    patch = in_pod(containers=[{"name": "web", "image": "app:2"}])
    patched = containers(cluster.api("PATCH", web, patch, MERGE))
    assert [each["name"] for each in patched] == ["web"]
    assert "env" not in patched[0]


def test_null_in_a_merge_patch_removes(cluster: FakeCluster, web: str) -> None:
    cluster.api("PATCH", web, {"metadata": {"labels": {"a": "1", "b": "2"}}}, MERGE)
    patched = cluster.api("PATCH", web, {"metadata": {"labels": {"a": None}}}, MERGE)
    assert patched["metadata"]["labels"] == {"b": "2"}


def test_what_is_removed_is_filled_in_again(cluster: FakeCluster, web: str) -> None:
    patched = cluster.api("PATCH", web, {"spec": {"replicas": None}}, MERGE)
    assert patched["spec"]["replicas"] == 1


def test_a_json_patch_does_all_of_it(cluster: FakeCluster, web: str) -> None:
    where = "/spec/template/spec/containers"
    operations = [
        {"op": "test", "path": f"{where}/0/image", "value": "app:1"},
        {"op": "replace", "path": f"{where}/0/image", "value": "app:2"},
        {"op": "remove", "path": f"{where}/1"},
        {"op": "add", "path": "/metadata/annotations", "value": {"example.com/a": "1"}},
        {"op": "add", "path": "/metadata/annotations/example.com~1b", "value": "2"},
    ]
    patched = cluster.api("PATCH", web, operations, JSON_PATCH)
    assert [each["image"] for each in containers(patched)] == ["app:2"]
    annotations = patched["metadata"]["annotations"]
    assert (annotations["example.com/a"], annotations["example.com/b"]) == ("1", "2")


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/spec/replicas", "value": 7},
        {"op": "remove", "path": "/spec/nothing"},
        {"op": "replace", "path": "/metadata/labels/nothing", "value": "1"},
    ],
    ids=lambda each: each["op"],
)
def test_a_json_patch_that_does_not_fit_does_nothing(
    cluster: FakeCluster, web: str, operation: dict[str, Any]
) -> None:
    before = cluster.api("GET", web)["spec"]
    operations = [{"op": "replace", "path": "/spec/paused", "value": True}, operation]
    operations[0]["op"] = "add"
    with pytest.raises(ApiError) as caught:
        cluster.api("PATCH", web, operations, JSON_PATCH)
    assert caught.value.status == 422
    assert caught.value.body["reason"] == "Invalid"
    assert cluster.api("GET", web)["spec"] == before


@pytest.mark.parametrize("kind", [MERGE, STRATEGIC])
def test_a_version_in_a_patch_is_a_condition(cluster: FakeCluster, web: str, kind: str) -> None:
    found = cluster.api("PATCH", web, {"metadata": {"labels": {"a": "1"}}}, MERGE)
    version = found["metadata"]["resourceVersion"]
    cluster.api("PATCH", web, {"metadata": {"labels": {"a": "2"}}}, MERGE)
    patch = {"metadata": {"resourceVersion": version, "labels": {"a": "3"}}}
    with pytest.raises(ApiError) as caught:
        cluster.api("PATCH", web, patch, kind)
    assert caught.value.status == 409
    assert caught.value.body["reason"] == "Conflict"


def test_a_json_patch_that_sets_a_stale_version_is_a_conflict(
    cluster: FakeCluster, web: str
) -> None:
    stale = cluster.api("GET", web)["metadata"]["resourceVersion"]
    cluster.api("PATCH", web, {"metadata": {"labels": {"a": "1"}}}, MERGE)
    condition = {"op": "replace", "path": "/metadata/resourceVersion", "value": stale}
    for change in ([], [{"op": "add", "path": "/spec/paused", "value": True}]):
        with pytest.raises(ApiError) as caught:
            cluster.api("PATCH", web, [condition, *change], JSON_PATCH)
        assert (caught.value.status, caught.value.body["reason"]) == (409, "Conflict")
    assert "paused" not in cluster.api("GET", web)["spec"]


def test_a_dry_run_of_a_json_patch_keeps_nothing(cluster: FakeCluster, web: str) -> None:
    change = [{"op": "add", "path": "/spec/minReadySeconds", "value": 7}]
    shown = cluster.api("PATCH", web, change, JSON_PATCH, dryRun="All")
    assert shown["spec"]["minReadySeconds"] == 7
    assert "minReadySeconds" not in cluster.api("GET", web)["spec"]


def test_a_patch_may_not_rename(cluster: FakeCluster, web: str) -> None:
    with pytest.raises(ApiError) as caught:
        cluster.api("PATCH", web, {"metadata": {"name": "other"}}, MERGE)
    assert caught.value.status in (400, 422)


def test_an_unknown_kind_of_patch_is_refused(cluster: FakeCluster, web: str) -> None:
    with pytest.raises(ApiError) as caught:
        cluster.api("PATCH", web, {}, "application/json")
    assert caught.value.status == 415


def test_a_scale_shows_and_sets_replicas(cluster: FakeCluster, web: str) -> None:
    scale = cluster.api("GET", f"{web}/scale")
    assert (scale["kind"], scale["apiVersion"]) == ("Scale", "autoscaling/v1")
    assert scale["status"]["selector"] == "app=web"
    scaled = cluster.api("PATCH", f"{web}/scale", {"spec": {"replicas": 1}}, MERGE)
    assert scaled["spec"]["replicas"] == 1
    assert cluster.api("GET", web)["spec"]["replicas"] == 1
    scaled["spec"]["replicas"] = 0
    del scaled["metadata"]["resourceVersion"]
    cluster.api("PUT", f"{web}/scale", scaled)
    assert cluster.api("GET", web)["spec"]["replicas"] == 0


def test_a_scale_has_an_owner_of_its_own(cluster: FakeCluster, web: str) -> None:
    cluster.api("PATCH", f"{web}/scale", {"spec": {"replicas": 1}}, MERGE, fieldManager="hand")
    managers = cluster.api("GET", web)["metadata"]["managedFields"]
    entry = next(each for each in managers if each["manager"] == "hand")
    assert entry["subresource"] == "scale"
    assert entry["fieldsV1"] == {"f:spec": {"f:replicas": {}}}
