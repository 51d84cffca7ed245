from rollbacks.platforms.ecs import rights
from tests.platforms.ecs.described import ARN

ACCOUNT = rights.Account("arn:aws:iam::123456789012:user/x", "eu-west-1", f"{ARN}:cluster/shop")
NOWHERE = {"listeners": None, "route53": None}
ROLE = "arn:aws:iam::123456789012:role/tasks"


def test_rights_are_asked_for_by_what_they_are_about() -> None:
    needs = rights.of_rollout(ACCOUNT, ["web"], ["web"], [ROLE], is_undo=False)
    assert needs[f"{ARN}:service/shop/web"] == ["ecs:DescribeServices", "ecs:UpdateService"]
    assert needs[f"{ARN}:task-definition/web:1"] == [
        "ecs:RegisterTaskDefinition",
        "ecs:TagResource",
    ]
    assert needs[ROLE] == ["iam:PassRole"]
    assert not any("Update" in each or "Register" in each for each in needs["*"])


def test_a_rollback_registers_nothing() -> None:
    needs = rights.of_rollout(ACCOUNT, ["web"], ["web"], [ROLE], is_undo=True)
    assert ROLE not in needs


def test_only_who_swaps_needs_the_listeners() -> None:
    elb = "arn:aws:elasticloadbalancing:eu-west-1:123456789012"
    listeners = {
        "production": f"{elb}:listener/app/shop/1/2",
        "test": f"{elb}:listener-rule/app/shop/1/2/3",
    }
    settings = {**NOWHERE, "listeners": listeners}
    needs = rights.of_series(ACCOUNT, "ecs.swap", settings, "shop", [], [], is_undo=True)
    assert needs[listeners["production"]] == ["elasticloadbalancing:ModifyListener"]
    assert needs[listeners["test"]] == ["elasticloadbalancing:ModifyRule"]
    plain = rights.of_series(ACCOUNT, "ecs.upgrade", NOWHERE, "shop", [], [], is_undo=True)
    assert not any("Modify" in each for many in plain.values() for each in many)
    assert "ecs:CreateService" not in plain[f"{ARN}:service/shop/shop__1"]
