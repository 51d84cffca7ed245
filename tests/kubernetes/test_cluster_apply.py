"""Server-side apply: who owns which field, and what becomes of what nobody applies any more."""

from typing import Any

import pytest

from .cluster import ApiError, FakeCluster
from .cluster.caller import Caller
from .cluster.manifests import (
    APPLY,
    JSON_PATCH,
    MERGE,
    STRATEGIC,
    config_map,
    deployment,
    image,
    path,
)

Json = dict[str, Any]


@pytest.fixture
def web(cluster: FakeCluster) -> str:
    return path(cluster.namespace(), "deployments", "web")


def apply(cluster: FakeCluster, where: str, body: Json, by: str = "ci", **query: Any) -> Json:
    return cluster.api("PATCH", where, body, APPLY, fieldManager=by, **query)


def conflict(cluster: FakeCluster, *args: Any, **query: Any) -> Json:
    with pytest.raises(ApiError) as caught:
        apply(cluster, *args, **query)
    assert caught.value.status == 409
    assert caught.value.body["reason"] == "Conflict"
    return caught.value.body


def entries(obj: Json) -> dict[tuple[str, str], Json]:
    found = obj["metadata"]["managedFields"]
    return {(each["manager"], each["operation"]): each["fieldsV1"] for each in found}


def test_applying_creates_what_is_not_there(cluster: FakeCluster, web: str) -> None:
    made = apply(cluster, web, deployment(replicas=0))
    assert made["metadata"]["generation"] == 1
    assert made["spec"]["revisionHistoryLimit"] == 10
    containers = entries(made)["ci", "Apply"]["f:spec"]["f:template"]["f:spec"]["f:containers"]
    assert containers == {'k:{"name":"web"}': {".": {}, "f:image": {}, "f:name": {}}}


def test_what_was_filled_in_has_no_owner(cluster: FakeCluster, web: str) -> None:
    made = apply(cluster, web, deployment(replicas=0))
    assert "f:strategy" not in entries(made)["ci", "Apply"]["f:spec"]
    assert made["spec"]["strategy"]["type"] == "RollingUpdate"


def test_an_apply_needs_a_name(cluster: FakeCluster, web: str) -> None:
    with pytest.raises(ApiError) as caught:
        cluster.api("PATCH", web, deployment(), APPLY)
    assert caught.value.status in (400, 422)
    assert "fieldManager" in caught.value.body["message"]


def test_applying_the_same_again_changes_nothing(cluster: FakeCluster, web: str) -> None:
    first = apply(cluster, web, deployment(replicas=0))
    seen = cluster.api("GET", web)
    again = apply(cluster, web, deployment(replicas=0))
    assert again["metadata"]["generation"] == first["metadata"]["generation"]
    assert again["spec"] == seen["spec"]


def test_a_field_of_another_is_a_conflict(cluster: FakeCluster, web: str) -> None:
    apply(cluster, web, deployment(replicas=0), by="kubectl")
    said = conflict(cluster, web, deployment(replicas=0, image="app:2"))
    field = '.spec.template.spec.containers[name="web"].image'
    assert said["details"]["causes"] == [
        {"reason": "FieldManagerConflict", "message": 'conflict with "kubectl"', "field": field}
    ]
    assert said["message"] == f'Apply failed with 1 conflict: conflict with "kubectl": {field}'


def test_a_field_that_was_updated_is_a_conflict(cluster: FakeCluster, web: str) -> None:
    apply(cluster, web, deployment(replicas=0))
    patch = {"spec": {"paused": True, "minReadySeconds": 3}}
    cluster.api("PATCH", web, patch, MERGE, fieldManager="kubectl")
    said = conflict(cluster, web, deployment(replicas=0, minReadySeconds=4))
    (cause,) = said["details"]["causes"]
    assert cause["field"] == ".spec.minReadySeconds"
    assert cause["message"].startswith('conflict with "kubectl" using apps/v1')


def test_several_conflicts_are_listed(cluster: FakeCluster, web: str) -> None:
    apply(cluster, web, deployment(replicas=0, minReadySeconds=3), by="kubectl")
    said = conflict(cluster, web, deployment(replicas=1, minReadySeconds=4))
    fields = {each["field"] for each in said["details"]["causes"]}
    assert fields == {".spec.minReadySeconds", ".spec.replicas"}
    assert said["message"].startswith("Apply failed with 2 conflicts: conflicts with")


def test_force_takes_the_fields(cluster: FakeCluster, web: str) -> None:
    apply(cluster, web, deployment(replicas=0), by="kubectl")
    forced = apply(cluster, web, deployment(replicas=0, image="app:2"), force="true")
    assert forced["spec"]["template"]["spec"]["containers"][0]["image"] == "app:2"
    theirs = entries(forced)["kubectl", "Apply"]["f:spec"]["f:template"]["f:spec"]
    assert "f:image" not in theirs["f:containers"]['k:{"name":"web"}']


def test_the_same_value_is_shared(cluster: FakeCluster, web: str) -> None:
    apply(cluster, web, deployment(replicas=0), by="kubectl")
    shared = apply(cluster, web, deployment(replicas=0))
    assert {("ci", "Apply"), ("kubectl", "Apply")} <= entries(shared).keys()


def test_what_is_no_longer_applied_goes(cluster: FakeCluster) -> None:
    where = path(cluster.namespace(), "configmaps", "settings")
    apply(cluster, where, config_map(a="1", b="2"))
    assert apply(cluster, where, config_map(a="1"))["data"] == {"a": "1"}


def test_what_somebody_else_applies_stays(cluster: FakeCluster) -> None:
    where = path(cluster.namespace(), "configmaps", "settings")
    apply(cluster, where, config_map(a="1", b="2"))
    apply(cluster, where, config_map(b="2"), by="other")
    assert apply(cluster, where, config_map(a="1"))["data"] == {"a": "1", "b": "2"}


def test_what_was_never_applied_stays(cluster: FakeCluster) -> None:
    where = path(cluster.namespace(), "configmaps", "settings")
    apply(cluster, where, config_map(a="1"))
    cluster.api("PATCH", where, {"data": {"c": "3"}}, MERGE)
    assert apply(cluster, where, config_map(a="2"))["data"] == {"a": "2", "c": "3"}


def test_a_container_that_is_no_longer_applied_goes(cluster: FakeCluster, web: str) -> None:
    body = deployment(replicas=0)
    body["spec"]["template"]["spec"]["containers"].append({"name": "side", "image": "side:1"})
    apply(cluster, web, body)
    applied = apply(cluster, web, deployment(replicas=0))
    containers = applied["spec"]["template"]["spec"]["containers"]
    assert [each["name"] for each in containers] == ["web"]


def test_a_field_given_up_falls_back_to_its_default(cluster: FakeCluster, web: str) -> None:
    apply(cluster, web, deployment(replicas=0, revisionHistoryLimit=3))
    applied = apply(cluster, web, deployment(replicas=0))
    assert applied["spec"]["revisionHistoryLimit"] == 10


def test_giving_up_replicas_leaves_them_to_who_scaled(cluster: FakeCluster, web: str) -> None:
    body = deployment(replicas=0)
    apply(cluster, web, body)
    cluster.api("PATCH", f"{web}/scale", {"spec": {"replicas": 2}}, MERGE, fieldManager="scaler")
    del body["spec"]["replicas"]
    assert apply(cluster, web, body)["spec"]["replicas"] == 2


def test_an_update_takes_the_field_from_who_applied_it(cluster: FakeCluster, web: str) -> None:
    apply(cluster, web, deployment(replicas=0))
    patched = cluster.api("PATCH", web, image("2"), STRATEGIC, fieldManager="kubectl-set")
    found = entries(patched)
    changed: Json = {'k:{"name":"web"}': {"f:image": {}}}
    fields = {"f:spec": {"f:template": {"f:spec": {"f:containers": changed}}}}
    assert found["kubectl-set", "Update"] == fields


def test_what_nobody_owned_belongs_to_nobody_who_applies(cluster: FakeCluster) -> None:
    where = path(cluster.namespace(), "configmaps", "settings")
    cluster.api("POST", where.rpartition("/")[0], config_map(a="1", b="2"))
    forgotten = cluster.api("PATCH", where, {"metadata": {"managedFields": [{}]}}, MERGE)
    assert not forgotten["metadata"].get("managedFields")
    said = conflict(cluster, where, config_map(a="2"))
    assert said["details"]["causes"][0]["message"].startswith('conflict with "before-first-apply"')


def test_a_version_in_what_is_applied_is_a_condition(cluster: FakeCluster) -> None:
    where = path(cluster.namespace(), "configmaps", "settings")
    version = apply(cluster, where, config_map(a="1"))["metadata"]["resourceVersion"]
    apply(cluster, where, config_map(a="2"))
    body = config_map(a="3")
    body["metadata"]["resourceVersion"] = version
    said = conflict(cluster, where, body)
    assert "the object has been modified" in said["message"]


def test_a_version_of_what_is_gone_is_no_condition(cluster: FakeCluster) -> None:
    where = path(cluster.namespace(), "configmaps", "settings")
    body = apply(cluster, where, config_map(a="1"))
    cluster.api("DELETE", where)
    again = config_map(a="2")
    again["metadata"]["resourceVersion"] = body["metadata"]["resourceVersion"]
    assert apply(cluster, where, again)["metadata"]["uid"] != body["metadata"]["uid"]


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"kind": "StatefulSet"}, "invalid object type: apps/v1, Kind=StatefulSet"),
        ({"kind": ""}, "invalid object type: apps/v1, Kind="),
        ({"metadata": {"name": "other"}}, "the name of the object (other) does not match the name"),
        ({"metadata": {"name": "web", "namespace": "other"}}, "the namespace of the provided obj"),
        (
            {"metadata": {"name": "web", "managedFields": [{"manager": "ci"}]}},
            "metadata.managedFields must be nil",
        ),
    ],
    ids=lambda each: each[:20] if isinstance(each, str) else "",
)
def test_what_is_applied_must_be_what_the_url_names(
    cluster: FakeCluster, web: str, part: Json, said: str
) -> None:
    with pytest.raises(ApiError) as caught:
        apply(cluster, web, {**deployment(replicas=0), **part})
    assert caught.value.status == 400
    assert caught.value.body["message"].startswith(said)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"colour": "red"}, ".spec.colour: field not declared in schema"),
        ({"replicas": "3"}, ".spec.replicas: expected numeric (int or float), got string"),
        ({"template": {"spec": {"containers": [{"name": "a"}, {"name": "a"}]}}},
         '.spec.template.spec.containers: duplicate entries for key [name="a"]'),
    ],
)  # fmt: skip
def test_what_is_applied_and_cannot_be_read_is_called_an_error_of_the_server(
    cluster: FakeCluster, web: str, spec: Json, said: str
) -> None:
    with pytest.raises(ApiError) as caught:
        apply(cluster, web, deployment(**spec))
    assert caught.value.status == 500
    assert caught.value.body["message"] == (
        f"failed to create typed patch object (/web; apps/v1, Kind=Deployment): {said}"
    )


def test_who_owned_what_can_be_brought_back_with_the_spec(cluster: FakeCluster, web: str) -> None:
    was = apply(cluster, web, deployment(replicas=0, minReadySeconds=3))
    apply(cluster, web, deployment(replicas=0, minReadySeconds=4, image="app:2"))
    back = [{"op": "replace", "path": "/spec", "value": was["spec"]}]
    patched = cluster.api("PATCH", web, back, JSON_PATCH, fieldManager="ci")
    assert patched["spec"] == was["spec"]
    assert ("ci", "Update") in entries(patched)
    owners = [{name: part for name, part in each.items() if name != "time"}
              for each in was["metadata"]["managedFields"] if each["manager"] == "ci"]  # fmt: skip
    owned = [{"op": "add", "path": "/metadata/managedFields", "value": owners}]
    found = cluster.api("PATCH", web, owned, JSON_PATCH, fieldManager="ci")
    assert found["metadata"]["managedFields"] == owners
    assert found["metadata"]["generation"] == patched["metadata"]["generation"]
    assert "minReadySeconds" not in apply(cluster, web, deployment(replicas=0))["spec"]


def test_a_dry_run_of_what_is_not_there_makes_nothing(cluster: FakeCluster, web: str) -> None:
    shown = apply(cluster, web, deployment(replicas=0), dryRun="All")
    assert shown["metadata"]["uid"]
    with pytest.raises(ApiError, match="404"):
        cluster.api("GET", web)


def test_a_dry_run_of_an_apply_shows_conflicts_and_keeps_nothing(
    cluster: FakeCluster, web: str
) -> None:
    apply(cluster, web, deployment(replicas=0), by="kubectl")
    assert conflict(cluster, web, deployment(image="app:2", replicas=0), dryRun="All")
    changed = deployment(image="app:2", replicas=0)
    shown = apply(cluster, web, changed, dryRun="All", force="true")
    assert shown["spec"]["template"]["spec"]["containers"][0]["image"] == "app:2"
    kept = cluster.api("GET", web)
    assert kept["spec"]["template"]["spec"]["containers"][0]["image"] == "app:1"


def test_the_user_agent_names_who_gave_no_name(cluster: FakeCluster) -> None:
    maps = path(cluster.namespace(), "configmaps")
    agent = {"User-Agent": "kubectl/v1.33 (linux)"}
    with Caller(cluster.kubeconfig) as caller:
        made = caller.send("POST", maps, config_map(a="1"), headers=agent).json()
    (entry,) = made["metadata"]["managedFields"]
    assert (entry["manager"], entry["operation"]) == ("kubectl", "Update")
    assert entry["fieldsV1"] == {"f:data": {".": {}, "f:a": {}}}
