"""What the API server does with any object: versions, generations, names, deletion."""

import pytest

from .cluster import ApiError, FakeCluster
from .cluster.manifests import MERGE, config_map, deployment, path, service, stateful_set


def refusal(cluster: FakeCluster, *args: object, **query: str | int) -> ApiError:
    with pytest.raises(ApiError) as caught:
        cluster.api(*args, **query)  # type: ignore[arg-type]
    return caught.value


def test_what_is_created_has_an_identity_and_a_version(cluster: FakeCluster) -> None:
    maps = path(cluster.namespace(), "configmaps")
    made = cluster.api("POST", maps, config_map(key="1"))
    assert made["metadata"]["uid"]
    assert made["metadata"]["creationTimestamp"].endswith("Z")
    assert cluster.api("GET", f"{maps}/settings") == made


def test_versions_grow_across_all_kinds(cluster: FakeCluster) -> None:
    namespace = cluster.namespace()
    made = [
        cluster.api("POST", path(namespace, "configmaps"), config_map()),
        cluster.api("POST", path(namespace, "services"), service()),
        cluster.api("POST", path(namespace, "configmaps"), config_map("other")),
    ]
    versions = [int(each["metadata"]["resourceVersion"]) for each in made]
    assert versions == sorted(set(versions))


def test_a_name_is_taken_once(cluster: FakeCluster) -> None:
    maps = path(cluster.namespace(), "configmaps")
    cluster.api("POST", maps, config_map())
    refused = refusal(cluster, "POST", maps, config_map())
    assert refused.status == 409
    assert refused.body["reason"] == "AlreadyExists"
    assert refused.body["message"] == 'configmaps "settings" already exists'
    assert refused.body["details"] == {"name": "settings", "kind": "configmaps"}


def test_what_is_not_there_is_not_found(cluster: FakeCluster) -> None:
    refused = refusal(cluster, "GET", path(cluster.namespace(), "deployments", "web"))
    assert refused.status == 404
    assert refused.body["kind"] == "Status"
    assert refused.body["message"] == 'deployments.apps "web" not found'
    assert refused.body["details"] == {"name": "web", "group": "apps", "kind": "deployments"}


def test_an_unknown_group_is_not_found_either(cluster: FakeCluster) -> None:
    refused = refusal(cluster, "GET", "/apis/argoproj.io/v1alpha1/rollouts")
    assert refused.status == 404


def test_nothing_is_created_in_a_namespace_that_is_not_there(cluster: FakeCluster) -> None:
    refused = refusal(cluster, "POST", path("nowhere", "configmaps"), config_map())
    assert refused.status == 404
    assert refused.body["message"] == 'namespaces "nowhere" not found'


def test_a_stale_version_is_a_conflict(cluster: FakeCluster) -> None:
    maps = path(cluster.namespace(), "configmaps")
    made = cluster.api("POST", maps, config_map(key="1"))
    cluster.api("PUT", f"{maps}/settings", {**made, "data": {"key": "2"}})
    refused = refusal(cluster, "PUT", f"{maps}/settings", {**made, "data": {"key": "3"}})
    assert refused.status == 409
    assert refused.body["reason"] == "Conflict"
    assert refused.body["message"] == (
        'Operation cannot be fulfilled on configmaps "settings": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )


def test_without_a_version_the_last_write_wins(cluster: FakeCluster) -> None:
    maps = path(cluster.namespace(), "configmaps")
    cluster.api("POST", maps, config_map(key="1"))
    written = cluster.api("PUT", f"{maps}/settings", config_map(key="2"))
    assert written["data"] == {"key": "2"}


def test_a_write_that_changes_nothing_keeps_the_version(cluster: FakeCluster) -> None:
    maps = path(cluster.namespace(), "configmaps")
    made = cluster.api("POST", maps, config_map(key="1"))
    again = cluster.api("PUT", f"{maps}/settings", made)
    assert again["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


def test_the_body_must_name_what_the_url_names(cluster: FakeCluster) -> None:
    maps = path(cluster.namespace(), "configmaps")
    cluster.api("POST", maps, config_map())
    refused = refusal(cluster, "PUT", f"{maps}/settings", config_map("other"))
    assert refused.status == 400
    assert refused.body["message"] == (
        "the name of the object (other) does not match the name on the URL (settings)"
    )


def test_a_generation_counts_changes_of_the_spec_alone(cluster: FakeCluster) -> None:
    sets = path(cluster.namespace(), "statefulsets")
    made = cluster.api("POST", sets, stateful_set(replicas=0))
    assert made["metadata"]["generation"] == 1
    labelled = {"metadata": {"labels": {"a": "b"}, "annotations": {"c": "d"}}}
    assert cluster.api("PATCH", f"{sets}/db", labelled, MERGE)["metadata"]["generation"] == 1
    changed = {"spec": {"minReadySeconds": 5}}
    assert cluster.api("PATCH", f"{sets}/db", changed, MERGE)["metadata"]["generation"] == 2
    status = {"status": {"replicas": 0, "collisionCount": 1}}
    written = cluster.api("PATCH", f"{sets}/db/status", status, MERGE)
    assert written["metadata"]["generation"] == 2


def test_a_deployment_counts_changes_of_its_annotations_too(cluster: FakeCluster) -> None:
    deployments = path(cluster.namespace(), "deployments")
    cluster.api("POST", deployments, deployment(replicas=0))
    noted = {"metadata": {"annotations": {"note": "1"}}}
    assert cluster.api("PATCH", f"{deployments}/web", noted, MERGE)["metadata"]["generation"] == 2
    labelled = {"metadata": {"labels": {"a": "b"}}}
    again = cluster.api("PATCH", f"{deployments}/web", labelled, MERGE)
    assert again["metadata"]["generation"] == 2


def test_a_status_is_written_through_its_own_door_only(cluster: FakeCluster) -> None:
    sets = path(cluster.namespace(), "statefulsets")
    cluster.api("POST", sets, {**stateful_set(replicas=0), "status": {"replicas": 7}})
    assert cluster.api("GET", f"{sets}/db").get("status", {}).get("replicas", 0) == 0
    both = {"spec": {"minReadySeconds": 7}, "status": {"replicas": 0, "collisionCount": 9}}
    written = cluster.api("PATCH", f"{sets}/db/status", both, MERGE)
    assert "minReadySeconds" not in written["spec"]
    assert written["status"]["collisionCount"] == 9


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_dry_run_answers_and_persists_nothing(cluster: FakeCluster, method: str) -> None:
    maps = path(cluster.namespace(), "configmaps")
    made = cluster.api("POST", maps, config_map(key="1"))
    where, body, kind = {
        "POST": (maps, config_map("other", key="2"), "application/json"),
        "PUT": (f"{maps}/settings", config_map(key="2"), "application/json"),
        "PATCH": (f"{maps}/settings", {"data": {"key": "2"}}, MERGE),
        "DELETE": (f"{maps}/settings", None, "application/json"),
    }[method]
    answer = cluster.api(method, where, body, kind, dryRun="All")
    if method != "DELETE":
        assert answer["data"] == {"key": "2"}
    listed = cluster.api("GET", maps, labelSelector="!x")["items"]
    # Controllers put maps of their own into each namespace.
    kept = [each for each in listed if each["metadata"]["name"] in ("settings", "other")]
    assert [each["metadata"] for each in kept] == [made["metadata"]]


def test_a_dry_run_refuses_what_the_write_would(cluster: FakeCluster) -> None:
    maps = path(cluster.namespace(), "configmaps")
    cluster.api("POST", maps, config_map())
    assert refusal(cluster, "POST", maps, config_map(), dryRun="All").status == 409


def test_a_generated_name_ends_in_five_letters(cluster: FakeCluster) -> None:
    maps = path(cluster.namespace(), "configmaps")
    body = {"metadata": {"generateName": "run-"}}
    name = cluster.api("POST", maps, body)["metadata"]["name"]
    assert name.startswith("run-")
    assert len(name) == len("run-") + 5


def test_deleting_says_what_is_gone(cluster: FakeCluster) -> None:
    maps = path(cluster.namespace(), "configmaps")
    made = cluster.api("POST", maps, config_map())
    gone = cluster.api("DELETE", f"{maps}/settings")
    assert gone["status"] == "Success"
    assert gone["details"]["uid"] == made["metadata"]["uid"]
    assert refusal(cluster, "DELETE", f"{maps}/settings").status == 404


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("uid", "the UID in the precondition"),
        ("resourceVersion", "the ResourceVersion in the precondition"),
    ],
)
def test_deleting_may_depend_on_what_is_there(cluster: FakeCluster, field: str, said: str) -> None:
    maps = path(cluster.namespace(), "configmaps")
    made = cluster.api("POST", maps, config_map())
    refused = refusal(cluster, "DELETE", f"{maps}/settings", {"preconditions": {field: "1"}})
    assert refused.status == 409
    assert said in refused.body["message"]
    cluster.api("DELETE", f"{maps}/settings", {"preconditions": {field: made["metadata"][field]}})


def test_a_finalizer_holds_what_is_deleted(cluster: FakeCluster) -> None:
    maps = path(cluster.namespace(), "configmaps")
    body = config_map()
    body["metadata"]["finalizers"] = ["example.com/wait"]
    cluster.api("POST", maps, body)
    going = cluster.api("DELETE", f"{maps}/settings")
    assert going["metadata"]["deletionTimestamp"]
    assert cluster.api("GET", f"{maps}/settings")["metadata"]["finalizers"]
    cluster.api("PATCH", f"{maps}/settings", {"metadata": {"finalizers": None}}, MERGE)
    assert refusal(cluster, "GET", f"{maps}/settings").status == 404


def test_a_secret_keeps_plain_text_as_data(cluster: FakeCluster) -> None:
    secrets = path(cluster.namespace(), "secrets")
    body = {"metadata": {"name": "key"}, "stringData": {"password": "hunter2"}}
    made = cluster.api("POST", secrets, body)
    assert made["data"] == {"password": "aHVudGVyMg=="}
    assert made["type"] == "Opaque"
    assert "stringData" not in made


def test_what_is_immutable_stays(cluster: FakeCluster) -> None:
    maps = path(cluster.namespace(), "configmaps")
    cluster.api("POST", maps, {**config_map(key="1"), "immutable": True})
    refused = refusal(cluster, "PATCH", f"{maps}/settings", {"data": {"key": "2"}}, MERGE)
    assert refused.status == 422
    assert "field is immutable when `immutable` is set" in refused.body["message"]
