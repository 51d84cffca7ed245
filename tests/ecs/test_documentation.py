"""What the documentation calls the least that a connector's account may do is enough, and all of it
is asked for before anything is touched."""

import json
import re
from pathlib import Path

from rollbacks.platforms.ecs import rights
from tests.aws.cloud import Statement
from tests.ecs.conftest import Open
from tests.ecs.shop import LEAST, Shop
from tests.ecs.test_every_type import succeeded

DOCUMENT = Path(__file__).parents[2] / "docs/platforms/ecs.md"
ACCOUNT = rights.Account("arn:aws:iam::123456789012:user/x", "eu-west-1", "shop")


def documented(shop: Shop) -> list[Statement]:
    """For the cluster and the family of this shop."""
    (text,) = re.findall(r"```json\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    text = text.replace("task-definition/shop:", f"task-definition/{shop.family}:")
    found = []
    for each in json.loads(text.replace("service/shop/", f"service/{shop.cluster}/"))["Statement"]:
        actions, resource = each["Action"], each["Resource"]
        named = (actions,) if isinstance(actions, str) else tuple(actions)
        found.append(Statement(named, (resource,)))
    return found


def test_the_least_that_is_documented_is_enough(open_shop: Open) -> None:
    shop = open_shop()
    shop.may_only(documented(shop))
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    bad = succeeded(shop.deploy("1.4.2"))
    succeeded(shop.scene.roll_back(bad))
    assert shop.everything() == before


def test_every_right_of_the_least_is_asked_for_in_a_plan() -> None:
    listeners = {"production": "arn:listener/app/x/1/2", "test": "arn:listener-rule/app/x/1/2/3"}
    by_dns = {"listeners": None, "route53": {"zone": "Z1"}}
    asked = [
        rights.of_rollout(ACCOUNT, ["web"], ["web"], ["role"], is_undo=False),
        *(
            rights.of_series(ACCOUNT, "ecs.stage", settings, "x", ["x"], ["role"], is_undo=False)
            for settings in ({"listeners": listeners, "route53": None}, by_dns)
        ),
    ]
    actions = {action for needs in asked for many in needs.values() for action in many}
    assert actions == set(LEAST) - {"iam:SimulatePrincipalPolicy"}
