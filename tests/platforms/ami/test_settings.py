from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from rollbacks.platforms.ami.settings import (
    Infrastructure,
    SetupSettings,
    ShiftSettings,
    UpgradeSettings,
)

_ELB = "arn:aws:elasticloadbalancing:eu-west-1:123456789012"
PROD, STAGE = f"{_ELB}:targetgroup/prod/0123456789abcdef", f"{_ELB}:targetgroup/stage/0123456789abc"
RULE = f"{_ELB}:listener-rule/app/shop/1234/5678/9abc"


@pytest.mark.parametrize(
    ("model", "document"),
    [
        (Infrastructure, {"base_group": "base"}),
        (Infrastructure, {"base_group": "base", "target_groups": [PROD]}),
        (
            Infrastructure,
            {"base_group": "b", "target_groups": [PROD], "stage_target_groups": [STAGE]},
        ),
        (Infrastructure, {"base_group": "base", "listener_rule": RULE}),
        (SetupSettings, {}),
        (SetupSettings, {"minimum": 0, "desired": 4, "maximum": 4}),
        (UpgradeSettings, {"instances": 3}),
        (ShiftSettings, {"weight": 100, "downsize_old": True}),
    ],
)
def test_what_may_be_written(model: type[BaseModel], document: dict[str, Any]) -> None:
    model.model_validate(document)


@pytest.mark.parametrize(
    ("model", "document", "said"),
    [
        (Infrastructure, {}, "base_group"),
        (Infrastructure, {"base_group": "b", "target_groups": ["prod"]}, "pattern"),
        (Infrastructure, {"base_group": "b", "group_name": "a:b"}, "pattern"),
        (Infrastructure, {"base_group": "b", "listener_rule": PROD}, "pattern"),
        (
            Infrastructure,
            {"base_group": "b", "listener_rule": RULE, "target_groups": [PROD]},
            "leave out",
        ),
        (Infrastructure, {"base_group": "b", "stage_target_groups": [STAGE]}, "switch to"),
        (
            Infrastructure,
            {"base_group": "b", "target_groups": [PROD], "stage_target_groups": [PROD]},
            "twice",
        ),
        (SetupSettings, {"desired": 4}, "or none of them"),
        (SetupSettings, {"minimum": 5, "desired": 4, "maximum": 6}, "must not exceed"),
        (SetupSettings, {"minimum": 1, "desired": 4, "maximum": 3}, "must not exceed"),
        (UpgradeSettings, {"instances": "0%"}, "percentage"),
        (UpgradeSettings, {"instances": "101%"}, "percentage"),
        (UpgradeSettings, {"instances": "half"}, "percentage"),
        (UpgradeSettings, {"resize": "BOTH"}, "NEW_FIRST"),
        (ShiftSettings, {}, "weight"),
        (ShiftSettings, {"weight": 101}, "100"),
        (ShiftSettings, {"weight": 50, "downsize_old": True}, "weight 100"),
    ],
)
def test_what_may_not(model: type[BaseModel], document: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        model.model_validate(document)
