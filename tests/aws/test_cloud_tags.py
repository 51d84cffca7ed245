"""Tags of ECS services and task definitions."""

import pytest
from botocore.exceptions import ClientError

from .cloud import FakeCloud
from .scene import Service, service_of


@pytest.fixture
def service(cloud: FakeCloud) -> Service:
    return service_of(cloud, tags=[{"key": "BG_VERSION", "value": "BLUE"}])


def tags(service: Service) -> dict[str, str]:
    arn = service.look()["serviceArn"]
    listed = service.ecs.list_tags_for_resource(resourceArn=arn)["tags"]
    described = service.ecs.describe_services(
        cluster=service.cluster, services=[service.name], include=["TAGS"]
    )["services"][0]["tags"]
    assert described == listed
    return {each["key"]: each["value"] for each in listed}


def test_tags_are_changed_and_taken_away(service: Service) -> None:
    arn = service.look()["serviceArn"]
    assert tags(service) == {"BG_VERSION": "BLUE"}
    new = [{"key": "BG_VERSION", "value": "GREEN"}, {"key": "team", "value": "shop"}]
    service.ecs.tag_resource(resourceArn=arn, tags=new)
    assert tags(service) == {"BG_VERSION": "GREEN", "team": "shop"}
    service.ecs.untag_resource(resourceArn=arn, tagKeys=["team", "none"])
    assert tags(service) == {"BG_VERSION": "GREEN"}


def test_they_are_told_only_when_asked_for(service: Service) -> None:
    assert "tags" not in service.look()


def test_a_tag_is_no_deployment(service: Service) -> None:
    before = service.rolled_out()["deployments"][0]["id"]
    tag = {"key": "team", "value": "shop"}
    service.ecs.tag_resource(resourceArn=service.look()["serviceArn"], tags=[tag])
    assert [each["id"] for each in service.look()["deployments"]] == [before]


def test_revisions_have_tags_of_their_own(cloud: FakeCloud) -> None:
    tag = {"key": "version", "value": "1.4.1"}
    first, second = (cloud.task_definition("tagged", tags=each) for each in ([tag], []))
    ecs = cloud.client("ecs")
    assert ecs.list_tags_for_resource(resourceArn=first)["tags"] == [tag]
    found = ecs.describe_task_definition(taskDefinition=second, include=["TAGS"])
    assert found["tags"] == []


@pytest.mark.parametrize(
    "tags",
    [
        [{"key": "aws:ecs:x", "value": "x"}],
        [{"key": f"k{number}", "value": "x"} for number in range(50)],
    ],
)
def test_what_is_reserved_or_too_much_is_refused(
    service: Service, tags: list[dict[str, str]]
) -> None:
    with pytest.raises(ClientError, match="InvalidParameterException"):
        service.ecs.tag_resource(resourceArn=service.look()["serviceArn"], tags=tags)


def test_tags_need_a_service(service: Service) -> None:
    arn = service.look()["serviceArn"]
    with pytest.raises(ClientError, match="ServiceNotFoundException"):
        service.ecs.list_tags_for_resource(resourceArn=f"{arn}x")
