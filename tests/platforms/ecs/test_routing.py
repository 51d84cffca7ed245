import pytest

from rollbacks.platforms.aws.balancing import Actions
from rollbacks.platforms.base import PlatformError
from rollbacks.platforms.ecs import routing


def forward(*groups: str) -> Actions:
    if len(groups) == 1:
        return [{"Type": "forward", "TargetGroupArn": groups[0]}]
    shares = [
        {"TargetGroupArn": group, "Weight": 0 if number else 1}
        for number, group in enumerate(groups)
    ]
    return [{"Type": "forward", "ForwardConfig": {"TargetGroups": shares}}]


def test_what_serves_and_what_waits() -> None:
    assert routing.groups_in({"p": forward("one"), "t": forward("two")}) == ("one", "two")
    assert routing.groups_in({"p": forward("one", "x"), "t": forward("two")}) == ("one", "two")


@pytest.mark.parametrize(
    ("production", "test", "said"),
    [
        (forward("one"), forward("one"), "the same target group"),
        ([{"Type": "redirect"}], forward("one"), "sends to 0 target groups"),
    ],
)
def test_where_nobody_can_tell(production: Actions, test: Actions, said: str) -> None:
    with pytest.raises(PlatformError, match=said):
        routing.groups_in({"p": production, "t": test})


def test_each_takes_the_place_of_the_other_wherever_it_is_named() -> None:
    actions = [{"Type": "authenticate-cognito"}, *forward("one", "two")]
    assert routing.swapped(actions, "one", "two") == [
        {"Type": "authenticate-cognito"},
        *forward("two", "one"),
    ]
    assert actions[1] == forward("one", "two")[0]
