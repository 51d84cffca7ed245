"""What is missing is known before anything is touched, as far as AWS tells."""

import pytest

from rollbacks.platforms.aws.api import Api
from rollbacks.platforms.aws.rights import inspected
from rollbacks.platforms.base import Inspection, PlatformError
from tests.aws.cloud import Answer, FakeCloud
from tests.aws.scene import service_of
from tests.aws.target import target_of, written

ASK = "iam:SimulatePrincipalPolicy"


def test_what_may_be_done_is_no_problem(cloud: FakeCloud) -> None:
    api = Api(target_of(cloud, written(cloud.account([ASK, "ecs:*"]))))
    assert inspected(api, {"*": ["ecs:UpdateService"]}) == Inspection()


def test_what_is_missing_is_named_with_who_lacks_it(cloud: FakeCloud) -> None:
    account = cloud.account([ASK, "ecs:Describe*"], name="poor")
    api = Api(target_of(cloud, written(account)))
    needs = ["ecs:UpdateService", "ecs:DescribeServices", "ecs:CreateService"]
    arn = f"arn:aws:iam::{cloud.account_id}:user/poor"
    assert inspected(api, {"*": needs}).problems == (
        f"{arn} may not ecs:CreateService, ecs:UpdateService.",
    )


def test_a_right_on_one_thing_only_is_enough_for_that(cloud: FakeCloud) -> None:
    mine, other = (service_of(cloud).look()["serviceArn"] for _ in range(2))
    account = cloud.account([ASK, "ecs:UpdateService"], [mine, "[*]"], name="narrow")
    api = Api(target_of(cloud, written(account)))
    assert inspected(api, {mine: ["ecs:UpdateService"]}).problems == ()
    assert inspected(api, {other: ["ecs:UpdateService"]}).problems == (
        f"arn:aws:iam::{cloud.account_id}:user/narrow may not ecs:UpdateService on {other}.",
    )


def test_of_an_assumed_role_the_role_is_asked(cloud: FakeCloud) -> None:
    role = cloud.role([ASK, "ecs:Describe*"], name="team/rollback")
    api = Api(target_of(cloud, written(cloud.account(["sts:AssumeRole"])), role=role))
    (problem,) = inspected(api, {"*": ["ecs:UpdateService"]}).problems
    assert problem.endswith("may not ecs:UpdateService.")


def test_who_may_not_ask_is_warned(cloud: FakeCloud) -> None:
    api = Api(target_of(cloud, written(cloud.account(["ecs:*"], name="unasking"))))
    found = inspected(api, {"*": ["ecs:UpdateService"]})
    assert found.problems == ()
    (warning,) = found.warnings
    assert "is not known before it is tried" in warning
    assert warning.endswith(f"Let it ask by {ASK}.")


def test_an_ill_service_is_no_answer(cloud: FakeCloud) -> None:
    api = Api(target_of(cloud, written(cloud.account([ASK]))))
    cloud.fail("iam:*", times=4, how=Answer(503))
    with pytest.raises(PlatformError) as raised:
        inspected(api, {"*": ["ecs:UpdateService"]})
    assert not raised.value.permanent
