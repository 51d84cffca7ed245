"""Task definitions of the fake cloud."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from .cloud import FakeCloud
from .scene import service_of

Json = dict[str, Any]


def revisions(cloud: FakeCloud, family: str, **given: Any) -> list[int]:
    pages = cloud.client("ecs").get_paginator("list_task_definitions")
    return [
        int(arn.rpartition(":")[2])
        for page in pages.paginate(familyPrefix=family, **given)
        for arn in page["taskDefinitionArns"]
    ]


def test_revisions_rise_and_are_sorted(cloud: FakeCloud) -> None:
    family = cloud.name("family")
    for tag in range(11):
        cloud.task_definition(family, str(tag))
    cloud.task_definition(f"{family}-other")
    assert revisions(cloud, family) == list(range(1, 12))
    found = revisions(cloud, family, sort="DESC", PaginationConfig={"PageSize": 4})
    assert found == list(range(11, 0, -1))


def test_a_family_is_its_newest_active_revision(cloud: FakeCloud) -> None:
    ecs, family = cloud.client("ecs"), cloud.name("family")
    first, second = (cloud.task_definition(family, tag) for tag in "12")
    ecs.deregister_task_definition(taskDefinition=second)
    found = ecs.describe_task_definition(taskDefinition=family)["taskDefinition"]
    assert found["taskDefinitionArn"] == first
    found = ecs.describe_task_definition(taskDefinition=f"{family}:2")["taskDefinition"]
    assert (found["status"], found["containerDefinitions"][0]["image"][-1]) == ("INACTIVE", "2")
    assert revisions(cloud, family, status="INACTIVE") == [2]
    assert cloud.task_definition(family).endswith(":3")


def test_a_revision_is_registered_from_what_is_told_of_another(cloud: FakeCloud) -> None:
    ecs = cloud.client("ecs")
    told = ecs.describe_task_definition(taskDefinition=cloud.task_definition())["taskDefinition"]
    own = {"compatibilities", "registeredAt", "registeredBy", "requiresAttributes", "revision"}
    own |= {"status", "taskDefinitionArn"}
    again = {key: value for key, value in told.items() if key not in own}
    made = ecs.register_task_definition(**again)["taskDefinition"]
    assert {key: made[key] for key in again} == again
    assert made["revision"] == 2


def test_families_are_listed(cloud: FakeCloud) -> None:
    ecs, prefix = cloud.client("ecs"), cloud.name("prefix")
    arns = [cloud.task_definition(f"{prefix}-{name}") for name in "ab"]
    ecs.deregister_task_definition(taskDefinition=arns[0])
    listed = {
        status: ecs.list_task_definition_families(familyPrefix=prefix, status=status)["families"]
        for status in ("ACTIVE", "INACTIVE", "ALL")
    }
    assert listed == {
        "ACTIVE": [f"{prefix}-b"],
        "INACTIVE": [f"{prefix}-a"],
        "ALL": [f"{prefix}-a", f"{prefix}-b"],
    }


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"family": "a b"}, "Invalid family name"),
        ({"containerDefinitions": []}, "should not be null or empty"),
        ({"container": {"image": ""}}, "Container.image and name"),
        ({"container": {"essential": False}}, "at least one essential container"),
        ({"networkMode": "bridge"}, "Fargate only supports network mode"),
        ({"cpu": ""}, "'cpu' be defined at the task level"),
        ({"memory": "", "requiresCompatibilities": ["EC2"]}, "At least one of 'memory'"),
    ],
)
def test_what_does_not_fit_is_refused(cloud: FakeCloud, given: Json, message: str) -> None:
    with pytest.raises(ClientError, match="ClientException") as raised:
        cloud.task_definition(**{"family": "wrong", **given})
    assert message in raised.value.response["Error"]["Message"]


@pytest.mark.parametrize(
    ("call", "name", "message"),
    [
        ("describe_task_definition", "none:1", "Unable to describe"),
        ("deregister_task_definition", "none", "Invalid revision number"),
    ],
)
def test_what_is_not_there_is_refused(cloud: FakeCloud, call: str, name: str, message: str) -> None:
    with pytest.raises(ClientError, match=message):
        getattr(cloud.client("ecs"), call)(taskDefinition=name)


def test_an_inactive_revision_is_not_deployed_but_goes_on_running(cloud: FakeCloud) -> None:
    service = service_of(cloud)
    old = service.rolled_out()["taskDefinition"]
    service.ecs.deregister_task_definition(taskDefinition=old)
    service.deploy("2")
    with pytest.raises(ClientError, match="TaskDefinition is inactive"):
        service.update(taskDefinition=old)
