"""Where the fake cloud's tasks run: on Fargate, or on a cluster's container instances."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from .cloud import FakeCloud
from .scene import Service, behind, health, primary
from .waiting import until

Json = dict[str, Any]


def on_instances(cloud: FakeCloud, cluster: str, tag: str = "1", **settings: Any) -> Service:
    """A service of bridge tasks of 1024 CPU units each."""
    family = cloud.name("shop")
    of_task = {"networkMode": "bridge", "requiresCompatibilities": ["EC2"], "cpu": "1024"}
    definition = cloud.task_definition(family, tag, **of_task)
    if "capacityProviderStrategy" not in settings:
        settings["launchType"] = "EC2"
    return Service(cloud, cluster, cloud.service(cluster, definition, **settings), family)


def hosts(service: Service) -> list[str]:
    return sorted(each["containerInstanceArn"] for each in service.tasks())


def test_tasks_are_spread_over_instances(cloud: FakeCloud) -> None:
    service = on_instances(cloud, cloud.cluster(instances=2), desiredCount=4)
    service.rolled_out()
    arns = hosts(service)
    assert [arns.count(each) for each in sorted(set(arns))] == [2, 2]
    assert {each["launchType"] for each in service.tasks()} == {"EC2"}
    found = service.ecs.describe_container_instances(
        cluster=service.cluster, containerInstances=sorted(set(arns))
    )["containerInstances"]
    left = [
        {each["name"]: each.get("integerValue") for each in one["remainingResources"]}
        for one in found
    ]
    assert [(each["CPU"], each["MEMORY"]) for each in left] == [(2048, 6458)] * 2
    (cluster,) = service.ecs.describe_clusters(clusters=[service.cluster])["clusters"]
    assert (cluster["runningTasksCount"], cluster["activeServicesCount"]) == (4, 1)


def test_what_has_no_room_is_told_and_comes_with_another_instance(cloud: FakeCloud) -> None:
    service = on_instances(cloud, cloud.cluster(instances=1), desiredCount=5)
    text = "has insufficient CPU units available"
    service.when(lambda _: any(text in each for each in service.said()))
    assert len(service.tasks()) == 4
    cloud.container_instances(service.cluster, 1)
    service.rolled_out()
    assert len(set(hosts(service))) == 2


def test_without_instances_nothing_runs(cloud: FakeCloud) -> None:
    service = on_instances(cloud, cloud.cluster(), desiredCount=1)
    text = "No Container Instances were found in your cluster"
    service.when(lambda _: any(text in each for each in service.said()))
    assert primary(service.look())["runningCount"] == 0


def test_fargate_may_have_no_capacity_for_a_while(cloud: FakeCloud) -> None:
    definition, cluster = cloud.task_definition(), cloud.cluster()
    cloud.shortage("FARGATE")
    try:
        service = Service(cloud, cluster, cloud.service(cluster, definition), "")
        text = "Capacity is unavailable at this time"
        service.when(lambda _: any(text in each for each in service.said()))
        assert service.tasks() == []
    finally:
        cloud.shortage("FARGATE", False)
    service.rolled_out()


def test_instance_targets_have_ports_of_the_host(cloud: FakeCloud) -> None:
    balancer = cloud.load_balancer("instance")
    service = on_instances(
        cloud, cloud.cluster(instances=1), loadBalancers=behind(balancer), desiredCount=2
    )
    service.rolled_out()
    assert health(cloud, balancer.groups[0]) == ["healthy", "healthy"]
    found = cloud.client("elbv2").describe_target_health(TargetGroupArn=balancer.groups[0])
    targets = [each["Target"] for each in found["TargetHealthDescriptions"]]
    bound = [each["containers"][0]["networkBindings"][0]["hostPort"] for each in service.tasks()]
    assert sorted(each["Port"] for each in targets) == sorted(bound)
    assert len({each["Id"] for each in targets}) == 1


@pytest.mark.parametrize(
    ("first", "expected"), [({"weight": 1}, [1, 3]), ({"base": 3, "weight": 0}, [3, 1])]
)
def test_capacity_providers_share_by_base_and_weight(
    cloud: FakeCloud, first: Json, expected: list[int]
) -> None:
    strategy = [
        {"capacityProvider": "FARGATE", **first},
        {"capacityProvider": "FARGATE_SPOT", "weight": 3},
    ]
    cluster = cloud.cluster()
    name = cloud.service(
        cluster,
        cloud.task_definition(),
        desiredCount=4,
        capacityProviderStrategy=strategy,
        networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
    )
    service = Service(cloud, cluster, name, "")
    service.rolled_out()
    names = [each["capacityProviderName"] for each in service.tasks()]
    assert [names.count("FARGATE"), names.count("FARGATE_SPOT")] == expected


def test_a_daemon_has_a_task_on_each_instance(cloud: FakeCloud) -> None:
    service = on_instances(cloud, cloud.cluster(instances=2), schedulingStrategy="DAEMON")
    service.rolled_out()
    assert len(set(hosts(service))) == 2
    cloud.container_instances(service.cluster, 1)
    service.when(lambda each: each["runningCount"] == each["desiredCount"] == 3)
    definition = cloud.task_definition(
        service.family, "2", networkMode="bridge", requiresCompatibilities=["EC2"], cpu="1024"
    )
    service.update(taskDefinition=definition)
    found = service.rolled_out()
    assert (found["desiredCount"], len(set(hosts(service)))) == (3, 3)
    with pytest.raises(ClientError, match="does not support a desired count"):
        service.update(desiredCount=1)


def test_a_drained_instance_takes_no_more_tasks(cloud: FakeCloud) -> None:
    service = on_instances(cloud, cloud.cluster(instances=2), desiredCount=1)
    service.rolled_out()
    (busy,) = hosts(service)
    listed = service.ecs.list_container_instances(cluster=service.cluster)
    (idle,) = set(listed["containerInstanceArns"]) - {busy}
    service.ecs.update_container_instances_state(
        cluster=service.cluster, containerInstances=[idle], status="DRAINING"
    )
    service.update(desiredCount=3)
    service.rolled_out()
    assert set(hosts(service)) == {busy}


def test_a_cluster_in_use_stays(cloud: FakeCloud) -> None:
    service = on_instances(cloud, cloud.cluster(), desiredCount=0)
    with pytest.raises(ClientError, match="ClusterContainsServicesException"):
        service.ecs.delete_cluster(cluster=service.cluster)
    service.ecs.delete_service(cluster=service.cluster, service=service.name)
    until(lambda: service.look()["status"] == "INACTIVE")
    service.ecs.delete_cluster(cluster=service.cluster)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"launchType": "FARGATE", "schedulingStrategy": "DAEMON"}, "daemon scheduling strategy"),
        (
            {
                "launchType": "EC2",
                "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
            },
            "Network Configuration is not valid",
        ),
        ({"launchType": "FARGATE"}, "does not support launch_type FARGATE"),
        ({"launchType": "EC2", "capacityProviderStrategy": [{"capacityProvider": "x"}]}, "both"),
    ],
)
def test_what_does_not_fit_is_refused(cloud: FakeCloud, settings: Json, message: str) -> None:
    definition = cloud.task_definition(networkMode="bridge", requiresCompatibilities=["EC2"])
    with pytest.raises(ClientError, match=message):
        cloud.service(cloud.cluster(), definition, **settings)
