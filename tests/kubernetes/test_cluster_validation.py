"""What the server fills in, and what it refuses as invalid."""

from typing import Any

import pytest

from .cluster import ApiError, FakeCluster
from .cluster.caller import Caller
from .cluster.manifests import (
    JSON_PATCH,
    MERGE,
    daemon_set,
    deployment,
    path,
    pod,
    service,
    stateful_set,
)


def invalid(cluster: FakeCluster, *args: Any, **query: Any) -> list[tuple[str, str]]:
    """Reason and field of every cause."""
    with pytest.raises(ApiError) as caught:
        cluster.api(*args, **query)
    assert caught.value.status == 422, caught.value
    assert caught.value.body["reason"] == "Invalid"
    causes = caught.value.body["details"]["causes"]
    return [(each["reason"], each["field"]) for each in causes]


def test_a_deployment_is_filled_in(cluster: FakeCluster) -> None:
    where = path(cluster.namespace(), "deployments")
    body = deployment(replicas=0)
    del body["spec"]["replicas"]
    spec = cluster.api("POST", where, body, dryRun="All")["spec"]
    assert spec["replicas"] == 1
    assert spec["revisionHistoryLimit"] == 10
    assert spec["progressDeadlineSeconds"] == 600
    rolling = {"maxSurge": "25%", "maxUnavailable": "25%"}
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": rolling}
    assert spec["template"]["spec"] == {
        "containers": [
            {
                "name": "web",
                "image": "app:1",
                "imagePullPolicy": "IfNotPresent",
                "resources": {},
                "terminationMessagePath": "/dev/termination-log",
                "terminationMessagePolicy": "File",
            }
        ],
        "dnsPolicy": "ClusterFirst",
        "restartPolicy": "Always",
        "schedulerName": "default-scheduler",
        "securityContext": {},
        "terminationGracePeriodSeconds": 30,
    }


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("app", "Always"),
        ("app:latest", "Always"),
        ("app:1", "IfNotPresent"),
        ("registry:5000/app", "Always"),
        ("app@sha256:" + "0" * 64, "IfNotPresent"),
    ],
)
def test_an_image_that_floats_is_always_pulled(
    cluster: FakeCluster, image: str, policy: str
) -> None:
    where = path(cluster.namespace(), "deployments")
    made = cluster.api("POST", where, deployment(image=image, replicas=0), dryRun="All")
    assert made["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] == policy


def test_a_stateful_set_is_filled_in(cluster: FakeCluster) -> None:
    where = path(cluster.namespace(), "statefulsets")
    spec = cluster.api("POST", where, stateful_set(replicas=0))["spec"]
    assert spec["podManagementPolicy"] == "OrderedReady"
    assert spec["updateStrategy"] == {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}
    assert spec["revisionHistoryLimit"] == 10
    for given, filled in (({}, {}), ({"rollingUpdate": {}}, {"rollingUpdate": {"partition": 0}})):
        named = stateful_set(updateStrategy={"type": "RollingUpdate", **given})
        another = path(cluster.namespace(), "statefulsets")
        made = cluster.api("POST", another, named, dryRun="All")
        assert made["spec"]["updateStrategy"] == {"type": "RollingUpdate", **filled}


def test_a_daemon_set_is_filled_in(cluster: FakeCluster) -> None:
    where = path(cluster.namespace(), "daemonsets")
    spec = cluster.api("POST", where, daemon_set(), dryRun="All")["spec"]
    rolling = {"maxSurge": 0, "maxUnavailable": 1}
    assert spec["updateStrategy"] == {"type": "RollingUpdate", "rollingUpdate": rolling}


def test_a_service_is_filled_in_and_gets_an_address(cluster: FakeCluster) -> None:
    spec = cluster.api("POST", path(cluster.namespace(), "services"), service())["spec"]
    assert spec["type"] == "ClusterIP"
    assert spec["sessionAffinity"] == "None"
    assert spec["ports"] == [{"port": 80, "protocol": "TCP", "targetPort": 80}]
    assert spec["clusterIPs"] == [spec["clusterIP"]]
    assert spec["ipFamilyPolicy"] == "SingleStack"
    assert spec["internalTrafficPolicy"] == "Cluster"


def test_a_service_keeps_its_address(cluster: FakeCluster) -> None:
    services = path(cluster.namespace(), "services")
    made = cluster.api("POST", services, service())
    changed = cluster.api("PATCH", f"{services}/web", {"spec": {"selector": {"a": "b"}}}, MERGE)
    assert changed["spec"]["clusterIP"] == made["spec"]["clusterIP"]
    left_out = {key: value for key, value in made["spec"].items() if "clusterIP" not in key}
    whole = [{"op": "replace", "path": "/spec", "value": left_out}]
    assert cluster.api("PATCH", f"{services}/web", whole, JSON_PATCH)["spec"] == made["spec"]
    move = {"spec": {"clusterIP": "10.96.77.77", "clusterIPs": ["10.96.77.77"]}}
    causes = invalid(cluster, "PATCH", f"{services}/web", move, MERGE)
    assert ("FieldValueInvalid", "spec.clusterIPs[0]") in causes


def without(body: dict[str, Any], *steps: Any) -> dict[str, Any]:
    """The body with one thing taken out."""
    holder: Any = body
    for step in steps[:-1]:
        holder = holder[step]
    del holder[steps[-1]]
    return body


def with_labels(body: dict[str, Any], **labels: str) -> dict[str, Any]:
    body["spec"]["template"]["metadata"]["labels"] = labels
    return body


_CONTAINER = ("spec", "template", "spec", "containers", 0)


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (without(deployment(), "spec", "selector"), ("FieldValueRequired", "spec.selector")),
        (
            with_labels(deployment(), app="other"),
            ("FieldValueInvalid", "spec.template.metadata.labels"),
        ),
        (
            without(deployment(), *_CONTAINER, "image"),
            ("FieldValueRequired", "spec.template.spec.containers[0].image"),
        ),
        (
            without(deployment(), *_CONTAINER, "name"),
            ("FieldValueRequired", "spec.template.spec.containers[0].name"),
        ),
        (deployment("Web_1"), ("FieldValueInvalid", "metadata.name")),
        (deployment(replicas=-1), ("FieldValueInvalid", "spec.replicas")),
        (
            deployment(strategy={"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}),
            ("FieldValueForbidden", "spec.strategy.rollingUpdate"),
        ),
        (
            deployment(strategy={"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}),
            ("FieldValueInvalid", "spec.strategy.rollingUpdate.maxUnavailable"),
        ),
    ],
    ids=lambda each: each[1] if isinstance(each, tuple) else "",
)
def test_a_deployment_that_makes_no_sense_is_refused(
    cluster: FakeCluster, body: dict[str, Any], cause: tuple[str, str]
) -> None:
    where = path(cluster.namespace(), "deployments")
    assert cause in invalid(cluster, "POST", where, body, dryRun="All")


def test_a_refusal_says_what_is_wrong(cluster: FakeCluster) -> None:
    where = path(cluster.namespace(), "deployments")
    body = without(deployment(), *_CONTAINER, "image")
    with pytest.raises(ApiError) as caught:
        cluster.api("POST", where, body)
    assert caught.value.body["message"] == (
        'Deployment.apps "web" is invalid: spec.template.spec.containers[0].image: Required value'
    )
    details = caught.value.body["details"]
    assert (details["name"], details["group"], details["kind"]) == ("web", "apps", "Deployment")


def test_a_selector_stays(cluster: FakeCluster) -> None:
    where = path(cluster.namespace(), "deployments")
    cluster.api("POST", where, deployment(replicas=0))
    labels = {"app": "other"}
    change = {
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}},
        }
    }
    causes = invalid(cluster, "PATCH", f"{where}/web", change, MERGE)
    assert causes == [("FieldValueInvalid", "spec.selector")]


def test_most_of_a_stateful_set_stays(cluster: FakeCluster) -> None:
    where = path(cluster.namespace(), "statefulsets")
    cluster.api("POST", where, stateful_set(replicas=0))
    change = {"spec": {"serviceName": "other"}}
    causes = invalid(cluster, "PATCH", f"{where}/db", change, MERGE)
    assert causes == [("FieldValueForbidden", "spec")]


def test_most_of_a_pod_stays_but_not_its_image(cluster: FakeCluster) -> None:
    pods = path(cluster.namespace(), "pods")
    cluster.api("POST", pods, pod())
    kind = "application/strategic-merge-patch+json"
    image = {"spec": {"containers": [{"name": "web", "image": "app:2"}]}}
    assert cluster.api("PATCH", f"{pods}/alone", image, kind)
    command = {"spec": {"containers": [{"name": "web", "command": ["true"]}]}}
    assert invalid(cluster, "PATCH", f"{pods}/alone", command, kind) == [
        ("FieldValueForbidden", "spec")
    ]


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"colour": "red"}, "spec.colour"),
        ({"strategy": {"colour": "red"}}, "spec.strategy.colour"),
    ],
)
def test_an_unknown_field_is_refused_dropped_or_warned_of(
    cluster: FakeCluster, changes: dict[str, Any], where: str
) -> None:
    deployments = path(cluster.namespace(), "deployments")
    body = deployment(replicas=0, **changes)
    with Caller(cluster.kubeconfig) as caller:
        strict, warned, ignored = (
            caller.send("POST", deployments, body, fieldValidation=each, dryRun="All")
            for each in ("Strict", "Warn", "Ignore")
        )
    assert strict.status_code == 400
    assert f'strict decoding error: unknown field "{where}"' in strict.json()["message"]
    assert warned.status_code == 201
    assert warned.headers["Warning"] == f'299 - "unknown field \\"{where}\\""'
    assert ignored.status_code == 201
    assert "Warning" not in ignored.headers
    assert "red" not in ignored.text


def test_a_value_of_the_wrong_type_is_refused(cluster: FakeCluster) -> None:
    deployments = path(cluster.namespace(), "deployments")
    body = deployment()
    body["spec"]["replicas"] = "three"
    with pytest.raises(ApiError) as caught:
        cluster.api("POST", deployments, body)
    assert caught.value.status == 400
    assert caught.value.body["reason"] == "BadRequest"
    assert "json: cannot unmarshal string" in caught.value.body["message"]
