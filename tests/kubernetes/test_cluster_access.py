"""Who may do what, and how a refusal reads."""

from typing import Any

import pytest

from .cluster import FakeCluster
from .cluster.caller import Caller
from .cluster.manifests import APPLY, MERGE, config_map, deployment, path
from .cluster.waiting import until

Json = dict[str, Any]


def rule(groups: str, resources: str, verbs: str, *names: str) -> Json:
    granted: Json = {
        "apiGroups": groups.split(","),
        "resources": resources.split(","),
        "verbs": verbs.split(","),
    }
    return granted | ({"resourceNames": list(names)} if names else {})


def review(caller: Caller, **attributes: str) -> bool:
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    where = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    answer = caller.send("POST", where, body)
    assert answer.status_code == 201
    return bool(answer.json()["status"]["allowed"])


def test_an_unknown_token_is_nobody(cluster: FakeCluster) -> None:
    with Caller(cluster.account(cluster.namespace(), "somebody", [])) as caller:
        headers = {"Authorization": "Bearer nonsense"}
        answer = caller.send("GET", "/api/v1/namespaces", headers=headers)
    assert answer.status_code == 401
    assert answer.json()["reason"] == "Unauthorized"


def test_nobody_at_all_is_anonymous_and_so_is_a_password(cluster: FakeCluster) -> None:
    namespace = cluster.namespace()
    pods = path(namespace, "pods")
    with Caller(cluster.account(namespace, "somebody", [])) as caller:
        for shown in ("", "Basic YTpi"):
            answer = caller.send("GET", pods, headers={"Authorization": shown})
            assert answer.status_code == 403
            assert 'User "system:anonymous" cannot list' in answer.json()["message"]


def test_an_account_may_do_what_its_rules_say(cluster: FakeCluster) -> None:
    namespace = cluster.namespace()
    account = cluster.account(namespace, "reader", [rule("apps", "deployments", "get,list")])
    cluster.api("POST", path(namespace, "deployments"), deployment(replicas=0))
    with Caller(account) as caller:
        assert caller.send("GET", path(namespace, "deployments", "web")).status_code == 200
        assert caller.send("GET", path(namespace, "deployments")).status_code == 200
        assert caller.send("GET", path(namespace, "pods")).status_code == 403


def test_a_refusal_says_who_cannot_do_what_where(cluster: FakeCluster) -> None:
    namespace = cluster.namespace()
    account = cluster.account(namespace, "reader", [rule("apps", "deployments", "get")])
    with Caller(account) as caller:
        answer = caller.send("PATCH", path(namespace, "deployments", "web"), {}, MERGE)
    assert answer.status_code == 403
    status = answer.json()
    assert status["reason"] == "Forbidden"
    assert status["message"] == (
        f'deployments.apps "web" is forbidden: User "system:serviceaccount:{namespace}:reader" '
        f'cannot patch resource "deployments" in API group "apps" in the namespace "{namespace}"'
    )
    assert status["details"] == {"name": "web", "group": "apps", "kind": "deployments"}


def test_a_refusal_in_the_whole_cluster_says_so(cluster: FakeCluster) -> None:
    namespace = cluster.namespace()
    account = cluster.account(namespace, "reader", [])
    with Caller(account) as caller:
        answer = caller.send("GET", "/api/v1/nodes")
    assert answer.json()["message"] == (
        f'nodes is forbidden: User "system:serviceaccount:{namespace}:reader" cannot list '
        'resource "nodes" in API group "" at the cluster scope'
    )


def test_a_subresource_is_granted_by_its_own_name(cluster: FakeCluster) -> None:
    namespace = cluster.namespace()
    account = cluster.account(namespace, "scaler", [rule("apps", "deployments", "get,patch")])
    cluster.api("POST", path(namespace, "deployments"), deployment(replicas=0))
    with Caller(account) as caller:
        answer = caller.send("GET", path(namespace, "deployments", "web", "scale"))
    assert answer.status_code == 403
    assert 'cannot get resource "deployments/scale" in API group' in answer.json()["message"]


def test_a_rule_may_name_objects(cluster: FakeCluster) -> None:
    namespace = cluster.namespace()
    account = cluster.account(namespace, "one", [rule("", "configmaps", "get", "mine")])
    for name in ("mine", "other"):
        cluster.api("POST", path(namespace, "configmaps"), config_map(name))
    with Caller(account) as caller:
        assert caller.send("GET", path(namespace, "configmaps", "mine")).status_code == 200
        assert caller.send("GET", path(namespace, "configmaps", "other")).status_code == 403
        assert caller.send("GET", path(namespace, "configmaps")).status_code == 403


def test_a_rule_holds_in_its_namespace_only(cluster: FakeCluster) -> None:
    namespace, other = cluster.namespace(), cluster.namespace()
    account = cluster.account(namespace, "all", [rule("*", "*", "*")])
    with Caller(account) as caller:
        assert caller.send("GET", path(namespace, "secrets")).status_code == 200
        assert caller.send("GET", path(other, "secrets")).status_code == 403


def test_watching_is_a_verb_of_its_own(cluster: FakeCluster) -> None:
    namespace = cluster.namespace()
    account = cluster.account(namespace, "lister", [rule("", "pods", "list")])
    with Caller(account) as caller:
        answer = caller.send("GET", path(namespace, "pods"), watch=1)
    assert answer.status_code == 403
    assert 'cannot watch resource "pods"' in answer.json()["message"]


def test_applying_what_is_not_there_needs_the_right_to_create(cluster: FakeCluster) -> None:
    namespace = cluster.namespace()
    account = cluster.account(namespace, "patcher", [rule("", "configmaps", "get,patch")])
    where = path(namespace, "configmaps", "settings")
    with Caller(account) as caller:
        answer = caller.send("PATCH", where, config_map(), APPLY, fieldManager="ci")
    assert answer.status_code == 403
    assert 'cannot create resource "configmaps"' in answer.json()["message"]


@pytest.mark.parametrize(
    ("attributes", "is_allowed"),
    [
        ({"verb": "patch", "group": "apps", "resource": "deployments"}, True),
        ({"verb": "patch", "group": "apps", "resource": "deployments", "name": "web"}, True),
        ({"verb": "delete", "group": "apps", "resource": "deployments"}, False),
        ({"verb": "patch", "group": "", "resource": "deployments"}, False),
        (
            {"verb": "get", "group": "apps", "resource": "deployments", "subresource": "scale"},
            False,
        ),
        ({"verb": "*", "group": "apps", "resource": "deployments"}, False),
    ],
)
def test_an_account_may_ask_what_it_may(
    cluster: FakeCluster, attributes: dict[str, str], is_allowed: bool
) -> None:
    namespace = cluster.namespace()
    rules = [rule("apps", "deployments", "get,patch")]
    with Caller(cluster.account(namespace, "deployer", rules)) as caller:
        assert review(caller, namespace=namespace, **attributes) is is_allowed
        assert review(caller, namespace="elsewhere", **attributes) is False


def test_a_right_that_is_taken_away_is_gone(cluster: FakeCluster) -> None:
    namespace = cluster.namespace()
    account = cluster.account(namespace, "reader", [rule("", "pods", "list")])
    bindings = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings"
    with Caller(account) as caller:
        assert caller.send("GET", path(namespace, "pods")).status_code == 200
        cluster.api("DELETE", bindings)
        until(lambda: caller.send("GET", path(namespace, "pods")).status_code == 403)


@pytest.mark.only_fake("its authority signs no certificates for tests")
def test_a_client_certificate_says_who_calls() -> None:
    with FakeCluster() as cluster:
        with Caller(cluster.certified("alice", "system:masters")) as caller:
            assert caller.send("GET", "/api/v1/nodes").status_code == 200
        with Caller(cluster.certified("bob")) as caller:
            said = caller.send("GET", "/api/v1/nodes").json()["message"]
    assert 'User "bob" cannot list resource "nodes"' in said
