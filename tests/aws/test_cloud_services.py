"""ECS services of the fake cloud: made, changed, deleted, told of."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from .cloud import FakeCloud
from .scene import Service, behind, primary, service_of
from .waiting import until

Json = dict[str, Any]


@pytest.fixture
def service(cloud: FakeCloud) -> Service:
    made = service_of(cloud, clientToken="once", desiredCount=1)
    made.rolled_out()
    return made


def again(service: Service, **given: Any) -> Json:
    """The request that made it, once more."""
    found = service.ecs.create_service(
        cluster=service.cluster,
        serviceName=service.name,
        taskDefinition=service.family,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
        **{"desiredCount": 1, "clientToken": "once", **given},
    )["service"]
    return dict(found)


def test_the_same_token_makes_one_service(service: Service) -> None:
    assert again(service)["deployments"][0]["id"] == primary(service.look())["id"]
    with pytest.raises(ClientError, match="Creation of service was not idempotent"):
        again(service, clientToken="twice")


def test_a_service_is_emptied_before_it_is_deleted(service: Service) -> None:
    which = {"cluster": service.cluster, "service": service.name}
    with pytest.raises(ClientError, match="while it is scaled above 0"):
        service.ecs.delete_service(**which)
    service.update(desiredCount=0)
    service.rolled_out()
    assert service.ecs.delete_service(**which)["service"]["status"] == "DRAINING"
    service.when(lambda each: each["status"] == "INACTIVE")
    with pytest.raises(ClientError, match="ServiceNotActiveException"):
        service.update(desiredCount=1)
    with pytest.raises(ClientError, match="ServiceNotFoundException"):
        service.ecs.delete_service(**which)
    assert again(service)["status"] == "ACTIVE"


def test_it_may_be_deleted_by_force(service: Service) -> None:
    service.ecs.delete_service(cluster=service.cluster, service=service.name, force=True)
    service.when(lambda each: each["status"] == "INACTIVE")
    until(lambda: not service.tasks())


def test_services_are_listed_in_pages_by_kind(cloud: FakeCloud) -> None:
    cluster = cloud.cluster()
    made = [service_of(cloud, cluster, desiredCount=0) for _ in range(3)]
    pages = cloud.client("ecs").get_paginator("list_services")
    listed = pages.paginate(cluster=cluster, PaginationConfig={"PageSize": 2})
    arns = [arn for page in listed for arn in page["serviceArns"]]
    assert arns == [each.look()["serviceArn"] for each in made]
    (page,) = pages.paginate(cluster=cluster, launchType="EC2")
    assert page["serviceArns"] == []


def test_what_is_not_there_is_told_as_missing(service: Service) -> None:
    found = service.ecs.describe_services(cluster=service.cluster, services=["none"])
    assert [each["reason"] for each in found["failures"]] == ["MISSING"]
    task = service.ecs.describe_tasks(cluster=service.cluster, tasks=["none"])
    assert [each["reason"] for each in task["failures"]] == ["MISSING"]
    with pytest.raises(ClientError, match="ClusterNotFoundException"):
        service.ecs.describe_services(cluster="none", services=["none"])


@pytest.mark.parametrize(
    ("call", "given"),
    [
        ("describe_services", {"services": [str(number) for number in range(11)]}),
        ("describe_tasks", {"tasks": [str(number) for number in range(101)]}),
        ("describe_services", {"services": []}),
        ("describe_tasks", {"tasks": []}),
    ],
)
def test_only_so_many_are_described_at_once(service: Service, call: str, given: Json) -> None:
    with pytest.raises(ClientError, match="InvalidParameterException"):
        getattr(service.ecs, call)(cluster=service.cluster, **given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"taskDefinition": "none"}, "TaskDefinition not found"),
        (
            {"deploymentConfiguration": {"minimumHealthyPercent": 100, "maximumPercent": 90}},
            "MaximumPercent must be greater",
        ),
        ({"networkConfiguration": {"awsvpcConfiguration": {"subnets": []}}}, "can not be empty"),
        ({"loadBalancers": [{"targetGroupArn": "x", "containerName": "x"}]}, "does not exist"),
    ],
)
def test_what_does_not_fit_is_refused(service: Service, given: Json, message: str) -> None:
    before = service.look()
    with pytest.raises(ClientError, match=message):
        service.update(**given)
    assert service.look() == before


def test_a_group_is_of_the_kind_that_the_tasks_need(cloud: FakeCloud, service: Service) -> None:
    instances = behind(cloud.load_balancer("instance"))
    with pytest.raises(ClientError, match="is incompatible with the awsvpc network mode"):
        service.update(loadBalancers=instances)
    none = [{**instances[0], "containerPort": 81}]
    with pytest.raises(ClientError, match="did not have a container port 81 defined"):
        service.update(loadBalancers=none)


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"deploymentConfiguration": {"strategy": "BLUE_GREEN"}}, "strategy BLUE_GREEN"),
        ({"deploymentController": {"type": "CODE_DEPLOY"}}, "controller CODE_DEPLOY"),
    ],
)
def test_what_is_not_modelled_says_so(cloud: FakeCloud, given: Json, what: str) -> None:
    with pytest.raises(ClientError, match=what) as raised:
        service_of(cloud, **given)
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_a_task_that_somebody_stopped_is_started_anew(service: Service) -> None:
    (task,) = service.tasks()
    service.ecs.stop_task(cluster=service.cluster, task=task["taskArn"], reason="tried out")
    until(lambda: task["taskArn"] not in [each["taskArn"] for each in service.tasks()])
    service.rolled_out()
    (stopped,) = service.tasks("STOPPED")
    assert (stopped["stopCode"], stopped["stoppedReason"]) == ("UserInitiated", "tried out")
    with pytest.raises(ClientError, match="The referenced task was not found"):
        service.ecs.stop_task(cluster=service.cluster, task="none")


def test_container_health_checks_decide_too(cloud: FakeCloud) -> None:
    service = service_of(cloud)
    service.rolled_out()
    check = {"healthCheck": {"command": ["CMD-SHELL", "exit 0"]}}
    service.deploy("2", check)
    service.rolled_out()
    assert {each["healthStatus"] for each in service.tasks()} == {"HEALTHY"}
    service.deploy("unready", check)
    service.when(lambda _: any("failed container health checks" in each for each in service.said()))


def test_revisions_tell_what_a_deployment_brought(service: Service) -> None:
    arn = service.deploy("2")
    service.rolled_out()
    newest = service.histories()[0]["targetServiceRevision"]["arn"]
    found = service.ecs.describe_service_revisions(serviceRevisionArns=[newest, f"{newest}x"])
    assert [each["reason"] for each in found["failures"]] == ["MISSING"]
    (revision,) = found["serviceRevisions"]
    assert (revision["taskDefinition"], revision["launchType"]) == (arn, "FARGATE")
    assert revision["containerImages"][0]["image"].endswith(":2")
