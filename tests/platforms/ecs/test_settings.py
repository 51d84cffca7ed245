from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from rollbacks.platforms.ecs.settings import (
    Infrastructure,
    RolloutSettings,
    SetupSettings,
    UpgradeSettings,
    WeightsSettings,
)

_ELB = "arn:aws:elasticloadbalancing:eu-west-1:123456789012"
LISTENER, RULE = f"{_ELB}:listener/app/shop/1/2", f"{_ELB}:listener-rule/app/shop/1/2/3"
LISTENERS = {"production": LISTENER, "test": RULE}
_MAP = "arn:aws:servicediscovery:eu-west-1:123456789012:service/srv-"
DNS = {"zone": "Z123ABC", "record": "web.shop.example", "registries": [f"{_MAP}a", f"{_MAP}b"]}
SHOP = {"cluster": "shop", "launch_type": "EC2"}
SERIES = {**SHOP, "base_service": "base"}


@pytest.mark.parametrize(
    ("model", "document"),
    [
        (Infrastructure, SHOP),
        (Infrastructure, {**SHOP, "services": ["{service}", "worker"]}),
        (Infrastructure, {**SERIES, "listeners": LISTENERS}),
        (Infrastructure, {**SERIES, "route53": DNS}),
        (RolloutSettings, {"containers": ["web"], "task_definition": "web:7"}),
        (SetupSettings, {"desired": 4}),
        (UpgradeSettings, {"instances": 3}),
        (WeightsSettings, {"downsize_old": True}),
    ],
)
def test_what_may_be_written(model: type[BaseModel], document: dict[str, Any]) -> None:
    model.model_validate(document)


@pytest.mark.parametrize(
    ("model", "document", "said"),
    [
        (Infrastructure, {"cluster": "shop"}, "launch_type"),
        (Infrastructure, {**SHOP, "launch_type": "EXTERNAL"}, "FARGATE"),
        (Infrastructure, {**SHOP, "services": ["a", "a"]}, "twice"),
        (Infrastructure, {**SHOP, "services": []}, "at least 1"),
        (Infrastructure, {**SHOP, "listeners": LISTENERS}, "need a base_service"),
        (Infrastructure, {**SERIES, "services": ["a"]}, "not both"),
        (Infrastructure, {**SERIES, "listeners": LISTENERS, "route53": DNS}, "not both"),
        (
            Infrastructure,
            {**SERIES, "listeners": {"production": RULE, "test": RULE}},
            "must not be the same",
        ),
        (
            Infrastructure,
            {**SERIES, "listeners": {"production": f"{_ELB}:targetgroup/x/1", "test": RULE}},
            "neither a listener",
        ),
        (
            Infrastructure,
            {**SERIES, "route53": {**DNS, "registries": [f"{_MAP}a", f"{_MAP}a"]}},
            "twice",
        ),
        (SetupSettings, {"desired": 0}, "greater than or equal to 1"),
        (RolloutSettings, {"task_definition": "a b"}, "pattern"),
        (UpgradeSettings, {"instances": "101%"}, "percentage"),
        (WeightsSettings, {"weight": 50, "downsize_old": True}, "weight 100"),
    ],
)
def test_what_may_not(model: type[BaseModel], document: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        model.model_validate(document)
