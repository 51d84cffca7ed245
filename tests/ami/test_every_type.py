"""Deploy A, deploy B, roll back: everything that can be described is what it was before B."""

from typing import Any

import pytest

from dashboard.models import Deployment, Instance, Status
from rollbacks.platforms.ami import Ami
from tests.ami.conftest import Open
from tests.ami.shop import step
from tests.scene import verdicts

TYPES = ["BASIC", "CANARY", "BLUE_GREEN"]
INCREMENTAL: dict[str, Any] = {
    "workflow_type": "BLUE_GREEN",
    "by_weight": True,
    "phases": [
        {
            "name": "Blue/Green",
            "steps": [
                step("ami.stage"),
                step("ami.shift", "Half", weight=50),
                step("ami.shift", "All", weight=100, downsize_old=True),
            ],
        }
    ],
}


REFRESH: dict[str, Any] = {
    "workflow_type": "BASIC",
    "phases": [
        {"name": "Rolling", "steps": [step("ami.refresh", minimum_healthy_percentage=50)]},
    ],
}


def succeeded(execution: Deployment) -> Deployment:
    assert execution.status == Status.SUCCEEDED, execution.message
    assert execution.code == "VERIFIED", execution.message
    return execution


@pytest.mark.parametrize(
    "choices",
    [*({"workflow_type": each} for each in TYPES), INCREMENTAL, REFRESH],
    ids=[*TYPES, "by weight", "refresh"],
)
def test_everything_is_as_before(open_shop: Open, choices: dict[str, Any]) -> None:
    shop = open_shop(**choices)
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    bad = succeeded(shop.deploy("1.4.2"))
    assert shop.everything() != before
    rollback = succeeded(shop.scene.roll_back(bad))
    assert shop.everything() == before
    assert verdicts(rollback) == {shop.key: "ROLLED_BACK"}
    instance = Instance.objects.get()
    assert (instance.key, instance.version, instance.is_healthy) == (shop.key, "1.4.1", True)
    assert {each["version"] for each in instance.members or ()} == {"1.4.1"}
    next_one = succeeded(shop.deploy("1.4.3"))
    assert next_one.replaces == rollback


def test_every_type_that_the_platform_deploys_was_tried() -> None:
    assert set(TYPES) == Ami.deploys
