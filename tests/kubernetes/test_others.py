"""Who else changes workloads meanwhile: autoscalers that come and go, and people with kubectl."""

from typing import Any

import pytest

from rollbacks.platforms.base import Running
from tests.kubernetes import manifests
from tests.kubernetes.bench import Bench, bench_in, done
from tests.kubernetes.conftest import Open
from tests.kubernetes.manifests import IMAGE, NAME
from tests.kubernetes.shop import Shop
from tests.kubernetes.test_every_type import succeeded
from tests.kubernetes.test_inspecting import by_name, live, scale
from tests.kubernetes.test_trouble import eventually
from tests.scene import verdicts

KEY = f"Deployment/{NAME}"
MERGE = "application/merge-patch+json"


def scaled_by_hand(shop: Shop, replicas: int, name: str = NAME) -> None:
    shop.patch("Deployment", name, {"spec": {"replicas": replicas}}, fieldManager="somebody")


def replicas(shop: Shop, name: str = NAME) -> int:
    return int(shop.one("Deployment", name)["spec"]["replicas"])


def test_the_number_of_an_autoscaler_that_came_since_is_left_alone(open_shop: Open) -> None:
    shop = open_shop(manifests.everything())
    succeeded(shop.deploy("1"))
    bad = succeeded(shop.deploy("2"))
    scale(shop.cluster, shop.namespace)
    scaled_by_hand(shop, 6)
    rollback = succeeded(shop.scene.roll_back(bad))
    assert verdicts(rollback) == {KEY: "ROLLED_BACK"}
    assert replicas(shop) == 6
    assert shop.images() == {f"{IMAGE}:1"}


def test_a_number_that_an_autoscaler_said_then_is_not_brought_back(cluster: Any) -> None:
    bench = bench_in(cluster, manifests.everything())
    shop = live(cluster, bench)
    done(bench.deploy("1-1"))
    before = bench.observe().instances[0].identity
    busy = scale(cluster, bench.namespace)
    done(bench.deploy("2-2"))
    cluster.api("DELETE", busy)
    scaled_by_hand(shop, 5)
    done(bench.roll_back("2-2"))
    assert replicas(shop) == 5
    assert bench.observe().instances[0].identity == before


def test_a_number_that_goes_back_is_warned_of(cluster: Any) -> None:
    bench = bench_in(cluster, manifests.everything())
    done(bench.deploy("1-1"))
    done(bench.deploy("2-2"))
    assert not bench.inspect("2-2", is_undo=True).warnings
    scaled_by_hand(live(cluster, bench), 5)
    assert bench.inspect("2-2", is_undo=True).warnings == (
        f"{KEY} is to have 5 pods now; it goes back to 3.",
    )
    scale(cluster, bench.namespace)
    found = bench.inspect("2-2", is_undo=True)
    assert found.warnings == (
        f"The autoscaler busy says how many pods {KEY} has; its number is left alone.",
    )
    assert not any("replicas" in line for line in by_name(found)[KEY].lines if line[0] in "+-")


@pytest.mark.parametrize(
    "change",
    [
        {"replicas": 5},
        {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}},
    ],
    ids=["scaled", "restarted"],
)
def test_a_color_that_somebody_changed_serves_again_as_it_did(
    open_shop: Open, change: dict[str, Any]
) -> None:
    shop = open_shop(manifests.blue_green(), workflow_type="BLUE_GREEN")
    succeeded(shop.deploy("1"))
    before = shop.objects()
    color = shop.one("Service", NAME)["spec"]["selector"]["lastgood.io/color"]
    bad = succeeded(shop.deploy("2"))
    shop.patch("Deployment", f"{NAME}-{color}", {"spec": change}, fieldManager="somebody")
    succeeded(shop.scene.roll_back(bad))
    assert shop.objects() == before


def test_a_color_that_an_autoscaler_let_shrink_has_its_pods_before_it_serves(
    cluster: Any,
) -> None:
    text = manifests.blue_green()
    bench = bench_in(cluster, text, kind="k8s.stage")
    bench.deploy("1-1")
    swap = Bench(bench.namespace, bench.credential, text, kind="k8s.swap")
    bench.deploy("1-1")
    done(swap.deploy("1-1"))
    scale(cluster, bench.namespace, name=f"{NAME}-blue")
    done(bench.deploy("2-2"))
    done(swap.deploy("2-2"))
    shop = live(cluster, bench)
    for has, gets in ((1, 3), (4, 4)):
        scaled_by_hand(shop, has, f"{NAME}-blue")
        done(swap.roll_back("2-2"))
        assert replicas(shop, f"{NAME}-blue") == gets


def test_what_somebody_has_undone_and_paused_is_not_turned_around_again(cluster: Any) -> None:
    """`kubectl rollout undo` of what an undo has made would bring the bad release back; and no
    replica set of the earlier release is left that it could find."""
    bench = bench_in(cluster, manifests.everything(revisionHistoryLimit=0))
    shop = live(cluster, bench)
    done(bench.deploy("1-1"))
    before = shop.objects()
    template = shop.one("Deployment", NAME)["spec"]["template"]
    done(bench.deploy("2-2"))
    undone = {"spec": {"template": template, "paused": True}}
    shop.patch("Deployment", NAME, undone, fieldManager="kubectl-rollout")
    done(bench.roll_back("2-2"))
    assert shop.objects() == before
    done(bench.roll_back("2-2"))
    assert shop.objects() == before


HELD = [("StatefulSet", {}), ("Deployment", {"strategy": {"type": "Recreate"}}), ("DaemonSet", {})]


@pytest.mark.parametrize(("kind", "spec"), HELD, ids=["StatefulSet", "Recreate", "DaemonSet"])
def test_a_pod_whose_end_a_rollback_must_wait_for_is_named(
    cluster: Any, kind: str, spec: dict[str, Any]
) -> None:
    workload = manifests.workload(kind, containers=[manifests.container()], **spec)
    bench = bench_in(cluster, manifests.written(workload), workloads=[f"{kind}/{NAME}"])
    done(bench.deploy("1-1"))
    done(bench.deploy("2-2"))
    stays = live(cluster, bench).pods()[-1]["metadata"]["name"]
    path = f"/api/v1/namespaces/{bench.namespace}/pods/{stays}"
    held = {"metadata": {"finalizers": ["test.lastgood.io/holds"]}}
    cluster.api("PATCH", path, held, content_type=MERGE)
    said = f"{stays} (2) still ending, held by test.lastgood.io/holds"
    assert isinstance(bench.roll_back("2-2", until=said), Running)
    (outcome,) = bench.control.outcomes.values()
    assert said in outcome.message
    cluster.api("PATCH", path, {"metadata": {"finalizers": None}}, content_type=MERGE)
    done(bench.roll_back("2-2"))
    assert {pod["spec"]["containers"][0]["image"] for pod in live(cluster, bench).pods()} == {
        f"{IMAGE}:1"
    }


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
def test_a_quota_that_holds_up_pods_is_told_of_every_kind(cluster: Any, kind: str) -> None:
    workload = manifests.workload(kind, containers=[manifests.container()])
    bench = bench_in(cluster, manifests.written(workload), workloads=[f"{kind}/{NAME}"])
    quotas = f"/api/v1/namespaces/{bench.namespace}/resourcequotas"
    few = {"metadata": {"name": "few"}, "spec": {"hard": {"pods": "1"}}}
    cluster.api("POST", quotas, few)
    assert isinstance(bench.deploy("1-1", until="exceeded quota: few"), Running)
    (outcome,) = bench.control.outcomes.values()
    assert "exceeded quota: few" in outcome.message


@pytest.mark.parametrize("rolling", [{"rollingUpdate": {}}, {}], ids=["partition", "none"])
def test_the_first_pod_of_a_stateful_set_that_fell_ill_since_is_taken_back_too(
    cluster: Any, rolling: dict[str, Any]
) -> None:
    """Without a partition Kubernetes makes it anew of the bad revision, while others are of it."""
    strategy = {"type": "RollingUpdate", **rolling}
    fields = {"replicas": 2, "containers": [manifests.container()], "updateStrategy": strategy}
    text = manifests.written(manifests.workload("StatefulSet", **fields))
    bench = bench_in(cluster, text, workloads=[f"StatefulSet/{NAME}"])
    done(bench.deploy("1-1"))
    shop = live(cluster, bench)
    before = shop.objects()
    for ordinal in (1, 0):  # that bad release once came up
        said = f"{NAME}-{ordinal}: app: running, but not ready"
        assert isinstance(bench.deploy("2-unready", until=said), Running)
        runs(cluster, shop, ordinal, "2")
    done(bench.deploy("2-unready"))
    runs(cluster, shop, 0, "unready")
    eventually(lambda: shop.one("StatefulSet", NAME)["status"]["readyReplicas"] == 1)
    done(bench.roll_back("2-unready"))
    assert shop.objects() == before
    assert shop.images() == {f"{IMAGE}:1"}


def runs(cluster: Any, shop: Shop, ordinal: int, tag: str) -> None:
    """Let one pod run this image, whatever its template says."""
    path = f"/api/v1/namespaces/{shop.namespace}/pods/{NAME}-{ordinal}"
    other = {"spec": {"containers": [{"name": "app", "image": f"{IMAGE}:{tag}"}]}}
    cluster.api("PATCH", path, other, content_type="application/strategic-merge-patch+json")
