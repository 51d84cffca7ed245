from typing import Any

import pytest

from rollbacks.platforms.aws import balancing
from rollbacks.platforms.base import PlatformError


def forward(**weights: int) -> list[dict[str, Any]]:
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
    return [{"Type": "forward", "Order": 1, "ForwardConfig": {"TargetGroups": groups}}]


def test_the_other_target_group_gets_the_rest_and_nothing_else_changes() -> None:
    actions = forward(a=100, b=0)
    assert balancing.weighed(actions, "b", 30) == forward(a=70, b=30)
    assert actions == forward(a=100, b=0)


def test_the_free_one_is_the_one_without_weight() -> None:
    assert balancing.idle_in(forward(a=100, b=0)) == "b"


@pytest.mark.parametrize("weights", [{"a": 50, "b": 50}, {"a": 0, "b": 0}])
def test_nobody_guesses_which_target_group_is_free(weights: dict[str, int]) -> None:
    with pytest.raises(PlatformError, match="Set the weight of one to 0"):
        balancing.idle_in(forward(**weights))


@pytest.mark.parametrize("weights", [{"a": 1}, {"a": 1, "b": 1, "c": 1}])
def test_a_rule_forwards_to_two(weights: dict[str, int]) -> None:
    with pytest.raises(PlatformError, match="it takes two"):
        balancing.weights(forward(**weights))


def test_a_target_group_is_called_by_its_name() -> None:
    arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/prod/0123"
    assert balancing.short(arn) == "prod"
