"""Deploy A, deploy B, roll back: everything that can be described is what it was before B."""

from typing import Any

import pytest

from dashboard.models import Deployment, Instance, Status
from rollbacks.platforms.pcf import CloudFoundry
from tests.scene import verdicts

from .conftest import Open
from .shop import SECRET, SMALL, step

WORKING = {**SMALL, "processes": [{"type": "worker", "instances": 1, "memory": "32M"}]}
DOWNSIZED: dict[str, Any] = {
    "workflow_type": "BLUE_GREEN",
    "phases": [
        {
            "name": "Blue/Green",
            "steps": [
                step("pcf.setup", routes="TEMPORARY"),
                step("pcf.resize", downsize_old=False),
                step("pcf.swap", downsize_old=True, overlap=0.01),
            ],
        }
    ],
}
CASES: dict[str, dict[str, Any]] = {
    "BASIC": {},
    "BASIC of bits": {"is_docker": False, "manifest": WORKING},
    "BASIC old first": {"settings": {"resize": "OLD_FIRST"}},
    "CANARY": {"workflow_type": "CANARY"},
    "CANARY of bits": {"workflow_type": "CANARY", "is_docker": False, "manifest": WORKING},
    "BLUE_GREEN": {"workflow_type": "BLUE_GREEN", "settings": {"overlap": 0.01}},
    "BLUE_GREEN downsized": DOWNSIZED,
    "BASIC that scales by itself": {"autoscaler": True},
}


def succeeded(execution: Deployment) -> Deployment:
    said = [each.message for phase in execution.phases.all() for each in phase.steps.all()]
    assert execution.status == Status.SUCCEEDED, (execution.message, said)
    assert execution.code == "VERIFIED", execution.message
    return execution


@pytest.mark.parametrize("case", CASES)
def test_everything_is_as_before(open_shop: Open, case: str) -> None:
    shop = open_shop(**CASES[case])
    succeeded(shop.deploy("1.4.1"))
    if shop.scales:
        shop.scales_by_itself("1", 1, 5)
    before = shop.everything()
    bad = succeeded(shop.deploy("1.4.2"))
    assert shop.everything() != before
    assert shop.foundation.ask(shop.host).version is not None
    assert shop.foundation.ask(shop.host).version.endswith("1.4.2")
    assert not any(
        SECRET in str(each.captured) for phase in bad.phases.all() for each in phase.steps.all()
    )
    rollback = succeeded(shop.scene.roll_back(bad))
    assert shop.everything() == before
    assert verdicts(rollback) == {shop.key: "ROLLED_BACK"}
    assert set(shop.apps()) == {"1"}
    instance = Instance.objects.get()
    assert (instance.key, instance.version, instance.is_healthy) == (shop.key, "1.4.1", True)
    assert {each["version"] for each in instance.members or ()} == {"1.4.1"}
    next_one = succeeded(shop.deploy("1.4.3"))
    assert next_one.replaces == rollback


def test_every_type_that_the_platform_deploys_was_tried() -> None:
    assert {each.get("workflow_type", "BASIC") for each in CASES.values()} == CloudFoundry.deploys
