"""What the connector's account must be allowed to do, and what is said where a right is missing."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboard.models import Status
from rollbacks.platforms.base import PlatformError
from tests.kubernetes import manifests
from tests.kubernetes.bench import Bench, bench_in, done
from tests.kubernetes.conftest import Open
from tests.kubernetes.test_every_type import succeeded
from tests.kubernetes.wire import Wire

Right = tuple[str, str, str]  # group, resource, verb
DOCUMENT = Path(__file__).parents[2] / "docs/platforms/kubernetes.md"


def documented() -> list[Right]:
    """What the documentation calls the least, for these manifests: they bring no DaemonSet."""
    role = re.search(r"```yaml\n(apiVersion: rbac.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert role
    return [
        (group, resource, verb)
        for rule in yaml.safe_load(role[1])["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
        if resource != "daemonsets"
    ]


INGRESSES = [("networking.k8s.io", "ingresses", verb) for verb in ("get", "create", "patch")]
RIGHTS: list[Right] = [*documented(), *INGRESSES]
# A deployment of these manifests does not need them: it creates nothing anew that it would delete.
LATER = {("", "services", "delete"), ("apps", "statefulsets", "delete")}
SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "login"},
    "stringData": {"password": "${env:PATH}"},
}
KEY = "StatefulSet/storefront"


def everything() -> str:
    return manifests.written(
        manifests.config_map(),
        SECRET,
        manifests.service(),
        manifests.workload("StatefulSet"),
        manifests.ingress(),
    )


def account(cluster: Any, namespace: str, rights: Sequence[Right]) -> Path:
    verbs: dict[tuple[str, str], list[str]] = {}
    for group, resource, verb in rights:
        verbs.setdefault((group, resource), []).append(verb)
    rules = [
        {"apiGroups": [group], "resources": [resource], "verbs": some}
        for (group, resource), some in verbs.items()
    ]
    found: Path = cluster.account(namespace, f"worker-{len(rights)}", rules)
    return found


@pytest.mark.parametrize("workflow_type", ["ROLLING", "CANARY", "BLUE_GREEN"])
def test_with_the_rights_of_the_documented_role_everything_works(
    open_shop: Open, cluster: Any, workflow_type: str
) -> None:
    namespace = cluster.namespace()
    text = manifests.everything()
    if workflow_type == "BLUE_GREEN":
        text = manifests.blue_green()
    kubeconfig = account(cluster, namespace, RIGHTS)
    shop = open_shop(text, namespace=namespace, kubeconfig=kubeconfig, workflow_type=workflow_type)
    succeeded(shop.deploy("1"))
    second = succeeded(shop.deploy("2"))
    succeeded(shop.scene.roll_back(second))


@pytest.mark.parametrize("missing", RIGHTS, ids=" ".join)
def test_a_missing_right_is_named_before_anything_is_touched(
    cluster: Any, wire: Wire, missing: Right
) -> None:
    namespace = cluster.namespace()
    kubeconfig = account(cluster, namespace, [each for each in RIGHTS if each != missing])
    bench = bench_in(
        cluster,
        everything(),
        namespace=namespace,
        credential=kubeconfig.read_text(),
        workloads=[KEY],
    )
    said = _problems(bench)
    assert not wire.changes
    if missing in LATER or missing[1] == "deployments":
        assert said == ""
        return
    _, resource, verb = missing
    assert f"{verb} {resource}" in said or f'{verb} resource "{resource}"' in said


def _problems(bench: Bench) -> str:
    try:
        return " ".join(bench.inspect("1-1").problems)
    except PlatformError as error:
        return str(error) if error.permanent else "to be tried again"


def test_through_the_whole_engine_the_deployment_is_not_ready_and_nothing_has_changed(
    open_shop: Open, cluster: Any, wire: Wire
) -> None:
    namespace = cluster.namespace()
    missing = [("apps", "deployments", "patch"), ("", "configmaps", "delete")]
    kubeconfig = account(cluster, namespace, [each for each in RIGHTS if each not in missing])
    shop = open_shop(manifests.everything(), namespace=namespace, kubeconfig=kubeconfig)
    failed = shop.deploy("1")
    assert (failed.status, failed.code) == (Status.FAILED, "NOT_READY"), failed.message
    for said in ("delete configmaps", "patch deployments", f"in the namespace {namespace}"):
        assert said in failed.message
    assert ".." not in failed.message
    assert not wire.changes
    assert shop.objects() == {}


def test_a_right_to_just_these_objects_is_enough(cluster: Any, wire: Wire) -> None:
    bench = bench_in(cluster, manifests.written(manifests.service(), manifests.workload()))
    done(bench.deploy("1-1"))
    done(bench.deploy("2-2"))
    before = len(wire.changes)
    narrow = {"get", "watch", "patch"}
    rights = [each for each in RIGHTS if each[2] not in narrow]
    rules = [{"apiGroups": [g], "resources": [r], "verbs": [v]} for g, r, v in rights]
    named = {"apiGroups": ["", "apps"], "resources": ["services", "deployments"]}
    for name, wanted in ((manifests.NAME, ()), ("another", ("get", "watch", "patch"))):
        own = {**named, "verbs": sorted(narrow), "resourceNames": [name]}
        path = cluster.account(bench.namespace, f"of-{name}", [*rules, own])
        bench.credential = path.read_text()
        said = " ".join(bench.inspect("2-2", is_undo=True).problems)
        assert bool(said) == bool(wanted)
        assert all(f"{verb} deployments" in said for verb in wanted)
    assert len(wire.changes) == before


def test_a_rollback_asks_for_the_rights_it_needs_itself(cluster: Any, wire: Wire) -> None:
    bench = bench_in(cluster, manifests.everything())
    done(bench.deploy("1-1"))
    done(bench.deploy("2-2"))
    before = len(wire.changes)
    missing = [("apps", "deployments", "patch"), ("", "services", "patch")]
    rights = [each for each in RIGHTS if each not in missing]
    bench.credential = account(cluster, bench.namespace, rights).read_text()
    (problem,) = bench.inspect("2-2", is_undo=True).problems
    assert "patch deployments, patch services" in problem or (
        "patch services" in problem and "patch deployments" in problem
    )
    bench.credential = Path(cluster.kubeconfig).read_text()
    assert not bench.inspect("2-2", is_undo=True).problems
    assert len(wire.changes) == before


def test_who_may_not_see_autoscalers_still_sees_what_runs(cluster: Any) -> None:
    bench = bench_in(cluster, manifests.everything())
    done(bench.deploy("1-1"))
    rights = [each for each in RIGHTS if each[1] != "horizontalpodautoscalers"]
    bench.credential = account(cluster, bench.namespace, rights).read_text()
    (seen,) = bench.observe().instances
    assert (seen.version, seen.is_healthy, len(seen.members or ())) == ("1", True, 3)


def test_who_may_see_nothing_is_told_for_each_workload(cluster: Any) -> None:
    bench = bench_in(cluster, manifests.everything())
    bench.credential = account(cluster, bench.namespace, [("", "secrets", "get")]).read_text()
    (seen,) = bench.observe().instances
    assert seen.identity is None
    assert "Deployment/storefront: the cluster refuses: " in seen.message
    assert not seen.message.endswith("..")
