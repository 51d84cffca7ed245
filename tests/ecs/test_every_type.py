"""Deploy A, deploy B, roll back: everything that can be described is what it was before B."""

from typing import Any

import pytest

from dashboard.models import Deployment, Instance, Status
from rollbacks.platforms.ecs import Ecs
from tests.ecs.conftest import Open
from tests.ecs.shop import SECRET, step
from tests.scene import verdicts

REPLICA: dict[str, Any] = {
    "in_series": True,
    "phases": [{"name": "Deploy", "steps": [step("ecs.setup"), step("ecs.upgrade")]}],
}
BY_DNS: dict[str, Any] = {
    "workflow_type": "BLUE_GREEN",
    "by_dns": True,
    "phases": [
        {
            "name": "Blue/Green",
            "steps": [
                step("ecs.stage"),
                step("ecs.weights", "Half", weight=50),
                step("ecs.weights", "All", downsize_old=True),
            ],
        }
    ],
}
DOWNSIZED: dict[str, Any] = {
    "workflow_type": "BLUE_GREEN",
    "phases": [
        {"name": "Blue/Green", "steps": [step("ecs.stage"), step("ecs.swap", downsize_old=True)]}
    ],
}
CASES: dict[str, dict[str, Any]] = {
    "BASIC": {},
    "ROLLING": {"workflow_type": "ROLLING"},
    "CANARY": {"workflow_type": "CANARY"},
    "BLUE_GREEN": {"workflow_type": "BLUE_GREEN"},
    "BASIC in a series": REPLICA,
    "BLUE_GREEN downsized": DOWNSIZED,
    "BLUE_GREEN by DNS": BY_DNS,
}


def succeeded(execution: Deployment) -> Deployment:
    assert execution.status == Status.SUCCEEDED, execution.message
    assert execution.code == "VERIFIED", execution.message
    return execution


@pytest.mark.parametrize("launch_type", ["EC2", "FARGATE"])
@pytest.mark.parametrize("case", CASES)
def test_everything_is_as_before(open_shop: Open, case: str, launch_type: str) -> None:
    shop = open_shop(**CASES[case], launch_type=launch_type)
    base = shop.look()
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    bad = succeeded(shop.deploy("1.4.2"))
    assert shop.everything() != before
    assert not any(
        SECRET in str(step.captured) for phase in bad.phases.all() for step in phase.steps.all()
    )
    rollback = succeeded(shop.scene.roll_back(bad))
    assert shop.everything() == before
    assert verdicts(rollback) == {shop.key: "ROLLED_BACK"}
    instance = Instance.objects.get()
    assert (instance.key, instance.version, instance.is_healthy) == (shop.key, "1.4.1", True)
    assert [each["version"] for each in instance.members or ()] == ["1.4.1"] * 2
    if shop.key != shop.base:
        assert shop.look()["taskDefinition"] == base["taskDefinition"]
        assert shop.counts() == {"1": 2, "2": 0}
    next_one = succeeded(shop.deploy("1.4.3"))
    assert next_one.replaces == rollback


def test_every_type_that_the_platform_deploys_was_tried() -> None:
    assert {each.get("workflow_type", "BASIC") for each in CASES.values()} == Ecs.deploys
