"""Deploy A, deploy B, roll back: every object is what it was before B."""

import pytest

from dashboard.models import Deployment, Instance, Status
from rollbacks.platforms.kubernetes import Kubernetes
from tests.kubernetes import manifests
from tests.kubernetes.conftest import Open
from tests.scene import verdicts

TYPES = [
    ("ROLLING", "Deployment"),
    ("BASIC", "Deployment"),
    ("ROLLING", "StatefulSet"),
    ("ROLLING", "DaemonSet"),
    ("CANARY", "Deployment"),
    ("CANARY", "StatefulSet"),
    ("BLUE_GREEN", "Deployment"),
    ("BLUE_GREEN", "StatefulSet"),
]


def succeeded(execution: Deployment) -> Deployment:
    assert execution.status == Status.SUCCEEDED, execution.message
    assert execution.code == "VERIFIED", execution.message
    return execution


@pytest.mark.parametrize(("workflow_type", "kind"), TYPES)
def test_everything_is_as_before(open_shop: Open, workflow_type: str, kind: str) -> None:
    text = manifests.everything(kind)
    if workflow_type == "BLUE_GREEN":
        text = manifests.blue_green(kind=kind)
    key = f"{kind}/storefront"
    shop = open_shop(text, workflow_type=workflow_type, workloads=[key])
    succeeded(shop.deploy("1.4.1"))
    before = shop.objects()
    bad = succeeded(shop.deploy("1.4.2"))
    assert shop.objects() != before
    rollback = succeeded(shop.scene.roll_back(bad))
    assert shop.objects() == before
    assert verdicts(rollback) == {key: "ROLLED_BACK"}
    assert shop.images() == {f"{manifests.IMAGE}:1.4.1"}
    instance = Instance.objects.get()
    assert (instance.key, instance.version, instance.is_healthy) == (key, "1.4.1", True)
    assert {each["version"] for each in instance.members or ()} == {"1.4.1"}
    next_one = succeeded(shop.deploy("1.4.3"))
    assert next_one.replaces == rollback


def test_every_type_that_the_platform_deploys_was_tried() -> None:
    assert {workflow_type for workflow_type, _ in TYPES} == Kubernetes.deploys
