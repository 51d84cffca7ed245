"""Acceptance cases of Kubernetes, by their numbers."""

from dashboard.models import Deployment, Status
from tests.kubernetes import manifests
from tests.kubernetes.conftest import Open
from tests.kubernetes.manifests import IMAGE, NAME
from tests.kubernetes.shop import Shop, declared
from tests.kubernetes.test_every_type import succeeded


def _configuration(shop: Shop) -> str:
    """The ConfigMap that the pods are to use."""
    pod = shop.one("Deployment", NAME)["spec"]["template"]["spec"]
    return str(pod["containers"][0]["envFrom"][0]["configMapRef"]["name"])


def _image(shop: Shop, name: str = NAME) -> str:
    pod = shop.one("Deployment", name)["spec"]["template"]["spec"]
    return str(pod["containers"][0]["image"])


def _uids(shop: Shop) -> set[str]:
    return {each["metadata"]["uid"] for each in shop.pods()}


def test_A43_rolling_returns_image_and_versioned_configuration_and_leaves_the_rest(
    open_shop: Open,
) -> None:
    shop = open_shop(manifests.everything())
    first = succeeded(shop.deploy("1"))
    around = [declared(shop.one(kind, NAME)) for kind in ("Service", "Ingress")]
    second = succeeded(shop.deploy("2"))
    assert _configuration(shop) == f"{NAME}-{second.pk}"
    succeeded(shop.scene.roll_back(second))
    assert _image(shop) == f"{IMAGE}:1"
    assert _configuration(shop) == f"{NAME}-{first.pk}"
    assert shop.one("ConfigMap", f"{NAME}-{first.pk}")["data"] == {"greeting": "Welcome to 1"}
    assert [declared(shop.one(kind, NAME)) for kind in ("Service", "Ingress")] == around


def test_A44_configuration_that_skips_versioning_stays_as_deployed(open_shop: Open) -> None:
    skips = manifests.config_map(**{"lastgood.io/skip-versioning": "true"})
    shop = open_shop(manifests.written(skips, manifests.workload()))
    succeeded(shop.deploy("1"))
    second = succeeded(shop.deploy("2"))
    succeeded(shop.scene.roll_back(second))
    assert _image(shop) == f"{IMAGE}:1"
    assert _configuration(shop) == NAME
    assert shop.one("ConfigMap", NAME)["data"] == {"greeting": "Welcome to 2"}


def test_A45_one_goes_back_exactly_one_and_a_failure_goes_back_to_that(open_shop: Open) -> None:
    shop = open_shop(manifests.everything(), timeout=6)
    for version in ("1", "2"):
        succeeded(shop.deploy(version))
    third = succeeded(shop.deploy("3"))
    succeeded(shop.scene.roll_back(third))
    assert shop.images() == {f"{IMAGE}:2"}
    fourth = shop.deploy("missing-4")
    assert (fourth.status, fourth.code) == (Status.FAILED, "ROLLED_BACK"), fourth.message
    assert "ImagePullBackOff" in fourth.message
    assert shop.images() == {f"{IMAGE}:2"}


def test_A46_a_canary_that_was_promoted_is_undone_and_none_remains(open_shop: Open) -> None:
    shop = open_shop(
        manifests.everything(replicas=4),
        workflow_type="CANARY",
        definition={"phases": _canary_of("50%")},
    )
    succeeded(shop.deploy("1"))
    second = succeeded(shop.deploy("2"))
    rollback = succeeded(shop.scene.roll_back(second))
    assert _names(rollback) == ["Rollback Primary", "Rollback Canary"]
    assert _image(shop) == f"{IMAGE}:1"
    assert not [each for each in shop.objects() if "-canary" in each]
    assert not [each for each in shop.pods() if "-canary" in each["metadata"]["name"]]


def _canary_of(instances: str) -> list[dict[str, object]]:
    canary = {"name": "Canary Deployment", "kind": "k8s.canary", "timeout": 30}
    delete = {"name": "Canary Delete", "kind": "k8s.canary_delete", "timeout": 30}
    primary = {"name": "Rollout Deployment", "kind": "k8s.rollout", "timeout": 30}
    return [
        {"name": "Canary", "steps": [{**canary, "settings": {"instances": instances}}, delete]},
        {"name": "Primary", "steps": [primary]},
    ]


def _names(execution: Deployment) -> list[str]:
    return [phase.name for phase in execution.phases.order_by("position")]


def test_A47_blue_green_sends_traffic_back_and_makes_no_pod_anew(open_shop: Open) -> None:
    shop = open_shop(manifests.blue_green(), workflow_type="BLUE_GREEN")
    succeeded(shop.deploy("1"))
    served, color = _uids(shop), _selected(shop)
    second = succeeded(shop.deploy("2"))
    assert _selected(shop) != color
    succeeded(shop.scene.roll_back(second))
    assert _selected(shop) == color
    assert _uids(shop) == served


def test_A47_what_served_before_is_scaled_up_and_ready_before_the_swap(open_shop: Open) -> None:
    shop = open_shop(manifests.blue_green(), workflow_type="BLUE_GREEN")
    succeeded(shop.deploy("1"))
    color = _selected(shop)
    second = succeeded(shop.deploy("2"))
    shop.patch("Deployment", f"{NAME}-{color}", {"spec": {"replicas": 0}})
    succeeded(shop.scene.roll_back(second))
    assert _selected(shop) == color
    serving = shop.one("Deployment", f"{NAME}-{color}")
    assert (serving["spec"]["replicas"], serving["status"]["readyReplicas"]) == (3, 3)


def _selected(shop: Shop) -> str:
    """The color that the primary service sends everybody to."""
    return str(shop.one("Service", NAME)["spec"]["selector"]["lastgood.io/color"])
