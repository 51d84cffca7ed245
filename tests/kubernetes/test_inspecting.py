"""What the cluster says of a step before it begins."""

import os
from typing import Any

import pytest

from rollbacks.platforms.base import Difference, Inspection
from tests.kubernetes import manifests
from tests.kubernetes.bench import Bench, bench_in, done
from tests.kubernetes.manifests import IMAGE, NAME
from tests.kubernetes.shop import Shop
from tests.kubernetes.wire import Sent, Wire

KEY = f"Deployment/{NAME}"
HIDDEN = "hunter2-hunter2"


@pytest.fixture
def bench(cluster: Any) -> Bench:
    """Release 1 runs."""
    made = bench_in(cluster, manifests.everything())
    done(made.deploy("1-1"))
    return made


def live(cluster: Any, bench: Bench) -> Shop:
    """To look and change things as somebody else; there is no scene."""
    return Shop(cluster, bench.namespace, None)  # type: ignore[arg-type]


def by_name(found: Inspection) -> dict[str, Difference]:
    return {each.what: each for each in found.differences}


def test_the_differences_are_exactly_what_will_change(cluster: Any, bench: Bench) -> None:
    found = by_name(bench.inspect("2-2"))
    assert set(found) == {f"ConfigMap/{NAME}-2", f"Service/{NAME}", KEY}
    changed = [line for line in found[KEY].lines if line[0] in "+-"]
    assert changed == [
        "-  lastgood.io/release: 1-1",
        "+  lastgood.io/release: 2-2",
        "-        lastgood.io/release: 1-1",
        "+        lastgood.io/release: 2-2",
        f"-            name: {NAME}-1",
        f"-        image: {IMAGE}:1",
        f"+            name: {NAME}-2",
        f"+        image: {IMAGE}:2",
    ]
    assert found[KEY].instance == KEY
    assert all(line.startswith(("+", "@@")) for line in found[f"ConfigMap/{NAME}-2"].lines)
    done(bench.deploy("2-2"))
    assert not bench.inspect("2-2").differences


def test_the_way_back_is_told_with_what_would_be_deleted(cluster: Any, bench: Bench) -> None:
    done(bench.deploy("2-2"))
    live(cluster, bench).patch("Deployment", NAME, {"spec": {"replicas": 5}})
    found = by_name(bench.inspect("2-2", is_undo=True))
    assert "-  replicas: 5" in found[KEY].lines
    assert "+  replicas: 3" in found[KEY].lines
    assert f"+        image: {IMAGE}:1" in found[KEY].lines
    assert all(line.startswith(("-", "@@")) for line in found[f"ConfigMap/{NAME}-2"].lines)
    done(bench.roll_back("2-2"))
    assert not bench.inspect("2-2", is_undo=True).differences


def test_what_changes_while_we_look_is_looked_at_again(
    cluster: Any, bench: Bench, wire: Wire
) -> None:
    done(bench.deploy("2-2"))
    shop, replicas = live(cluster, bench), iter([4, 5])

    def somebody_scales(sent: Sent) -> None:
        number = next(replicas, None) if sent.is_dry_run else None
        if number:
            shop.patch("Deployment", NAME, {"spec": {"replicas": number}})

    wire.goes_wrong = somebody_scales
    found = by_name(bench.inspect("2-2", is_undo=True))
    assert "-  replicas: 5" in found[KEY].lines


def test_a_dry_run_leaves_nothing_behind(cluster: Any, bench: Bench, wire: Wire) -> None:
    shop = live(cluster, bench)
    kinds = ("Deployment", "Service", "ConfigMap", "Ingress", "Pod")
    before = [shop.all(kind) for kind in kinds]
    done(bench.deploy("1-1"))
    bench.captured["2-2"] = bench.step.capture(bench.target, bench.spec("2-2"), bench.control)
    wire.sent.clear()
    bench.inspect("2-2")
    bench.inspect("2-2", is_undo=True)
    assert [each for each in wire.sent if each.is_dry_run]
    assert not wire.changes
    after = [shop.all(kind) for kind in kinds]
    for was, now in zip(before, after, strict=True):
        assert [_version(each) for each in was] == [_version(each) for each in now]


def _version(found: dict[str, Any]) -> tuple[str, str]:
    return found["metadata"]["name"], found["metadata"]["resourceVersion"]


MARKS: list[tuple[dict[str, Any], str, str]] = [
    ({"annotations": {"argocd.argoproj.io/tracking-id": "shop:apps"}}, "", "Argo CD manages"),
    ({"labels": {"kustomize.toolkit.fluxcd.io/name": "shop"}}, "", "Flux manages"),
    ({"labels": {"helm.toolkit.fluxcd.io/name": "shop"}}, "", "Flux manages"),
    ({"labels": {"a": "b"}}, "argocd-controller", "Argo CD manages"),
    ({"labels": {"a": "b"}}, "kustomize-controller", "Flux manages"),
    ({"labels": {"a": "b"}}, "kubectl-label", ""),
]


@pytest.mark.parametrize(("metadata", "manager", "said"), MARKS)
def test_who_else_acts_is_a_warning(
    cluster: Any, bench: Bench, metadata: dict[str, Any], manager: str, said: str
) -> None:
    query = {"fieldManager": manager} if manager else {}
    live(cluster, bench).patch("Deployment", NAME, {"metadata": metadata}, **query)
    warnings = bench.inspect("2-2").warnings
    assert [each.partition(":")[0] for each in warnings] == ([f"{said} {KEY}"] if said else [])
    if said:
        assert warnings[0].endswith("it brings back what is in its repository. Revert there, too.")


def test_an_autoscaler_is_a_warning_and_its_number_no_difference(
    cluster: Any, bench: Bench
) -> None:
    scale(cluster, bench.namespace)
    live(cluster, bench).patch("Deployment", NAME, {"spec": {"replicas": 5}})
    found = bench.inspect("2-2", take_ownership=True)
    assert found.warnings == (
        f"The autoscaler busy says how many pods {KEY} has; its number is left alone.",
    )
    assert not any("replicas" in line for line in by_name(found)[KEY].lines if line[0] in "+-")


def scale(cluster: Any, namespace: str, name: str = NAME) -> str:
    """The path of an autoscaler that says how many pods the Deployment has."""
    path = f"/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers"
    scaled = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    cluster.api(
        "POST",
        path,
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "busy"},
            "spec": {"scaleTargetRef": scaled, "minReplicas": 1, "maxReplicas": 10},
        },
    )
    return f"{path}/busy"


def test_a_field_of_somebody_elses_is_a_problem_unless_it_is_taken_over(
    cluster: Any, bench: Bench
) -> None:
    shop = live(cluster, bench)
    shop.patch("Deployment", NAME, {"spec": {"replicas": 2}}, fieldManager="somebody")
    (problem,) = bench.inspect("2-2").problems
    assert problem.startswith(f"{KEY}: ")
    assert 'conflict with "somebody"' in problem
    assert not problem.endswith(".")
    assert not bench.inspect("2-2", take_ownership=True).problems


def test_what_the_cluster_does_not_take_is_a_problem_in_its_own_words(cluster: Any) -> None:
    wrong = manifests.workload()
    wrong["spec"]["template"]["metadata"]["labels"] = {"app": "other"}
    made = bench_in(cluster, manifests.written(wrong))
    (problem,) = made.inspect("1-1").problems
    assert problem.startswith(f"{KEY}: the cluster refuses: ")


def test_what_may_be_a_secret_is_in_no_difference(
    cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "LASTGOOD_TEST_LOGIN", HIDDEN)
    names = ("DB_PASSWORD", "api_token", "SecretThing", "AWS_ACCESS_KEY_ID", "CREDENTIALS")
    env = [{"name": name, "value": HIDDEN} for name in names] + [{"name": "COLOR", "value": "red"}]
    env.append({"name": "DATABASE_URL", "value": f"postgres://shop:{HIDDEN}@db.example/shop"})
    arguments = ["serve", f"--db-password={HIDDEN}", "--color=red"]
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "login"},
        "stringData": {"password": "${env:LASTGOOD_TEST_LOGIN}"},
    }
    both = {"initContainers": [manifests.container("first", env=env)]}
    text = manifests.written(
        secret,
        manifests.workload(containers=[manifests.container(env=env, args=arguments)], pod=both),
    )
    made = bench_in(cluster, text)
    first = made.inspect("1-1")
    done(made.deploy("1-1"))
    shop = live(cluster, made)
    pod = shop.one("Deployment", NAME)["spec"]["template"]["spec"]
    assert pod["containers"][0]["env"] == env
    second = made.inspect("2-2")
    done(made.deploy("2-2"))
    said = [repr(each) for each in (first, second, made.inspect("2-2", is_undo=True))]
    said += [repr(made.captured["2-2"]["versioned"]), repr(made.control.lines)]
    said += [repr(made.control.outcomes), repr(made.observe())]
    said.append(repr(made.step.preview(made.target, made.spec("2-2"), made.captured["2-2"])))
    assert not [each for each in said if HIDDEN in each]
    for shown in ("red", "postgres://shop:(hidden)@db.example", "--db-password=(hidden)"):
        assert shown in said[0]
    stored = cluster.api("GET", f"/api/v1/namespaces/{made.namespace}/secrets/login-2")
    assert stored["metadata"]["annotations"]["lastgood.io/release"] == "2-2"
    assert HIDDEN not in repr(made.captured["2-2"]["objects"].get("Secret/login-2"))


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"colour": "red"}, ".spec.colour: field not declared in schema"),
        (
            {"minReadySeconds": "three"},
            ".spec.minReadySeconds: expected numeric (int or float), got string",
        ),
    ],
)
def test_a_manifest_that_the_cluster_cannot_read_is_a_problem_and_no_passing_fault(
    cluster: Any, spec: dict[str, Any], said: str
) -> None:
    bench = bench_in(cluster, manifests.written(manifests.workload(**spec)))
    (problem,) = bench.inspect("1-1").problems
    assert problem.startswith(f"{KEY}: the cluster refuses: failed to create typed patch object")
    assert problem.endswith(said)
