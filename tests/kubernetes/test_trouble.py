"""Workloads that do not come up, pods that do not go, and others who change them, too."""

import threading
import time
from collections.abc import Callable

import pytest
from django.db import connection
from django.utils import timezone

from dashboard.models import Deployment, Status, Step
from rollbacks import actions
from tests.kubernetes import manifests
from tests.kubernetes.conftest import Open
from tests.kubernetes.manifests import IMAGE, NAME
from tests.kubernetes.shop import Shop
from tests.kubernetes.test_every_type import succeeded
from tests.kubernetes.test_inspecting import scale
from tests.scene import run, verdicts


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
def test_a_stuck_bad_image_is_taken_back_by_the_failed_deployment_itself(
    open_shop: Open, kind: str
) -> None:
    shop = open_shop(manifests.everything(kind), workloads=[f"{kind}/{NAME}"], timeout=8)
    succeeded(shop.deploy("1"))
    before = shop.objects()
    failed = shop.deploy("missing")
    assert (failed.status, failed.code) == (Status.FAILED, "ROLLED_BACK"), failed.message
    assert "ImagePullBackOff" in failed.message
    assert shop.objects() == before
    assert shop.images() == {f"{IMAGE}:1"}


def test_a_bad_image_that_was_called_a_success_is_rolled_back(open_shop: Open) -> None:
    ignored = [
        {
            "name": "Rolling",
            "steps": [
                {
                    "name": "Rollout Deployment",
                    "kind": "k8s.rollout",
                    "timeout": 5,
                    "failure_strategy": "IGNORE",
                }
            ],
        }
    ]
    shop = open_shop(manifests.everything("StatefulSet"), workloads=[f"StatefulSet/{NAME}"],
                     definition={"phases": ignored})  # fmt: skip
    shop.deploy("1")
    before = shop.objects()
    bad = shop.deploy("missing")
    assert bad.status == Status.SUCCEEDED
    shop.scene.workflow.refresh_from_db()
    rollback = shop.scene.roll_back(bad)
    succeeded(rollback)
    assert shop.objects() == before
    assert shop.images() == {f"{IMAGE}:1"}


def test_a_pod_that_does_not_end_is_named_and_holds_up_nothing(open_shop: Open) -> None:
    held = {"name": "app", "image": "${image}"}
    shop = open_shop(manifests.written(manifests.workload(containers=[held])))
    succeeded(shop.deploy("1"))
    bad = succeeded(shop.deploy("2"))
    stays = shop.pods()[0]["metadata"]["name"]
    _hold(shop, stays, ["test.lastgood.io/holds"])
    rollback = succeeded(shop.scene.roll_back(bad))
    shown = rollback.after["instances"][0]
    assert f"{stays} (2) still ending" in shown["message"]
    member = next(each for each in shown["members"] if each["name"] == stays)
    assert "held by test.lastgood.io/holds" in member["message"]
    _hold(shop, stays, [])


def _hold(shop: Shop, pod: str, finalizers: list[str]) -> None:
    shop.patch("Pod", pod, {"metadata": {"finalizers": finalizers}})


def test_two_workloads_of_one_service_go_back_together(open_shop: Open) -> None:
    text = manifests.written(
        manifests.config_map(), manifests.workload(), manifests.workload("StatefulSet", "worker")
    )
    keys = [f"Deployment/{NAME}", "StatefulSet/worker"]
    shop = open_shop(text, workloads=keys)
    succeeded(shop.deploy("1"))
    before = shop.objects()
    bad = succeeded(shop.deploy("2"))
    rollback = succeeded(shop.scene.roll_back(bad))
    assert verdicts(rollback) == dict.fromkeys(keys, "ROLLED_BACK")
    assert shop.objects() == before


def test_one_of_two_that_hangs_neither_hides_nor_delays_the_other(open_shop: Open) -> None:
    hangs = manifests.container(image="registry.example/worker:missing")
    text = manifests.written(
        manifests.config_map(),
        manifests.workload(),
        manifests.workload("Deployment", "worker", containers=[hangs]),
    )
    keys = [f"Deployment/{NAME}", "Deployment/worker"]
    shop = open_shop(text, workloads=keys, timeout=5)
    failed = shop.deploy("1")
    assert failed.status == Status.FAILED
    outcomes = Step.objects.get(phase__deployment=failed, phase__direction="FORWARD").outcomes
    assert outcomes[keys[0]]["state"] == "DONE"
    assert outcomes[keys[1]]["state"] == "RUNNING"
    assert "ImagePullBackOff" in outcomes[keys[1]]["message"]
    assert shop.objects() == {}


def test_an_autoscalers_number_is_left_alone(open_shop: Open) -> None:
    shop = open_shop(manifests.everything())
    succeeded(shop.deploy("1"))
    scale(shop.cluster, shop.namespace)
    shop.patch("Deployment", NAME, {"spec": {"replicas": 5}})
    bad = succeeded(shop.deploy("2"))
    assert shop.one("Deployment", NAME)["spec"]["replicas"] == 5
    shop.patch("Deployment", NAME, {"spec": {"replicas": 4}})
    rollback = succeeded(shop.scene.roll_back(bad))
    assert verdicts(rollback) == {f"Deployment/{NAME}": "ROLLED_BACK"}
    assert shop.one("Deployment", NAME)["spec"]["replicas"] == 4
    assert shop.images() == {f"{IMAGE}:1"}


def test_what_somebody_else_changed_since_is_put_back_and_what_they_added_elsewhere_stays(
    open_shop: Open,
) -> None:
    shop = open_shop(manifests.everything())
    succeeded(shop.deploy("1"))
    before = shop.objects()
    bad = succeeded(shop.deploy("2"))
    shop.patch(
        "Deployment",
        NAME,
        {
            "metadata": {"annotations": {"example.com/note": "kept"}},
            "spec": {"replicas": 7, "minReadySeconds": 1},
        },
        fieldManager="somebody",
    )
    succeeded(shop.scene.roll_back(bad))
    found = shop.objects()
    assert found[f"Deployment/{NAME}"]["metadata"]["annotations"].pop("example.com/note") == "kept"
    assert found == before


def test_a_field_that_another_manager_has_set_is_refused_before_anything_is_touched(
    open_shop: Open,
) -> None:
    shop = open_shop(manifests.everything())
    succeeded(shop.deploy("1"))
    shop.patch("Deployment", NAME, {"spec": {"replicas": 2}}, fieldManager="somebody")
    before = shop.objects()
    refused = shop.deploy("2")
    assert (refused.status, refused.code) == (Status.FAILED, "NOT_READY"), refused.message
    assert '.spec.replicas: conflict with "somebody"' in refused.message
    assert shop.objects() == before


def test_a_rollback_that_hangs_says_why_can_be_aborted_and_continued(open_shop: Open) -> None:
    careful = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    shop = open_shop(manifests.everything(strategy=careful))
    succeeded(shop.deploy("1"))
    before = shop.objects()
    bad = succeeded(shop.deploy("2"))
    quota = f"/api/v1/namespaces/{shop.namespace}/resourcequotas"
    shop.cluster.api("POST", quota, {"metadata": {"name": "few"}, "spec": {"hard": {"pods": "3"}}})
    eventually(lambda: shop.cluster.api("GET", f"{quota}/few").get("status", {}).get("hard"))
    rollback = shop.scene.confirm(bad)
    worker = threading.Thread(target=run_apart, args=(rollback,))
    worker.start()
    step = Step.objects.get(phase__deployment=rollback)
    key = f"Deployment/{NAME}"
    eventually(lambda: "exceeded quota" in _outcome(step, key))
    began = time.monotonic()
    actions.abort(rollback, shop.scene.engineer, timezone.now())
    worker.join(10)
    assert time.monotonic() - began < 5
    rollback.refresh_from_db()
    assert rollback.status == Status.ABORTED, rollback.message
    assert f"{key} at 1" in rollback.message
    shop.cluster.api("DELETE", f"{quota}/few")
    succeeded(shop.scene.roll_back(bad))
    assert shop.objects() == before


def _outcome(step: Step, key: str) -> str:
    step.refresh_from_db()
    return str(step.outcomes.get(key, {}).get("message"))


def run_apart(execution: Deployment) -> None:
    """In a thread: its connection to the database is its own."""
    try:
        run(execution)
    finally:
        connection.close()


def eventually(holds: Callable[[], object], within: float = 10) -> None:
    """Wait until it holds."""
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
