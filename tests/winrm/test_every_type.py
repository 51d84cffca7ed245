"""Deploy A, deploy B, roll back: everything that can be described is what it was before B."""

import pytest

from dashboard.models import Deployment, Instance, Status
from rollbacks.platforms.winrm import Winrm
from tests.scene import verdicts
from tests.winrm.conftest import Open
from tests.winrm.shop import THINGS

TYPES = ["BASIC", "CANARY", "BLUE_GREEN"]


def succeeded(execution: Deployment) -> Deployment:
    assert execution.status == Status.SUCCEEDED, execution.message
    assert execution.code == "VERIFIED", execution.message
    return execution


@pytest.mark.parametrize("thing", THINGS)
@pytest.mark.parametrize("workflow_type", TYPES)
def test_everything_is_as_before(open_shop: Open, thing: str, workflow_type: str) -> None:
    shop = open_shop(thing, workflow_type)
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    bad = succeeded(shop.deploy("1.4.2"))
    assert shop.everything() != before
    rollback = succeeded(shop.scene.roll_back(bad))
    assert shop.everything() == before
    assert set(verdicts(rollback).values()) == {"ROLLED_BACK"}
    for instance in Instance.objects.all():
        assert (instance.version, instance.is_healthy) == ("1.4.1", True)


def test_every_type_that_the_platform_deploys_was_tried() -> None:
    assert set(TYPES) == Winrm.deploys
