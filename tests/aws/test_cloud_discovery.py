"""Service discovery: running tasks of an ECS service are instances of a Cloud Map service."""

import pytest
from botocore.exceptions import ClientError

from .cloud import FakeCloud
from .scene import Service, service_of
from .waiting import until


@pytest.fixture
def registry(cloud: FakeCloud) -> str:
    """The ARN of a Cloud Map service."""
    cloud_map, name = cloud.client("servicediscovery"), cloud.name("namespace")
    made = cloud_map.create_private_dns_namespace(Name=f"{name}.local", Vpc=name)
    targets = cloud_map.get_operation(OperationId=made["OperationId"])["Operation"]["Targets"]
    service = cloud_map.create_service(
        Name="web",
        NamespaceId=targets["NAMESPACE"],
        DnsConfig={"DnsRecords": [{"Type": "A", "TTL": 10}]},
        HealthCheckCustomConfig={"FailureThreshold": 1},
    )
    return str(service["Service"]["Arn"])


def registered(cloud: FakeCloud, registry: str) -> dict[str, dict[str, str]]:
    found = cloud.client("servicediscovery").list_instances(ServiceId=registry.rpartition("/")[2])
    return {each["Id"]: each["Attributes"] for each in found["Instances"]}


def running(service: Service) -> set[str]:
    return {each["taskArn"].rpartition("/")[2] for each in service.tasks()}


def test_tasks_are_registered_while_they_run(cloud: FakeCloud, registry: str) -> None:
    service = service_of(cloud, serviceRegistries=[{"registryArn": registry}])
    assert service.rolled_out()["serviceRegistries"] == [{"registryArn": registry}]
    before = registered(cloud, registry)
    assert set(before) == running(service)
    attributes = next(iter(before.values()))
    assert attributes["ECS_SERVICE_NAME"] == service.name
    assert attributes["AWS_INSTANCE_IPV4"].startswith("10.0.")
    service.deploy("2")
    service.rolled_out()
    after = registered(cloud, registry)
    assert set(after) == running(service)
    assert set(after).isdisjoint(before)


def test_two_services_may_share_a_name_for_a_while(cloud: FakeCloud, registry: str) -> None:
    registries = [{"registryArn": registry}]
    blue, green = (service_of(cloud, serviceRegistries=registries) for _ in range(2))
    blue.rolled_out()
    green.rolled_out()
    names = [each["ECS_SERVICE_NAME"] for each in registered(cloud, registry).values()]
    assert sorted(names) == sorted([blue.name, green.name] * 2)
    blue.update(serviceRegistries=[])
    blue.rolled_out()
    until(lambda: set(registered(cloud, registry)) == running(green))


def test_what_does_not_start_is_not_registered(cloud: FakeCloud, registry: str) -> None:
    service = service_of(cloud, tag="crash", serviceRegistries=[{"registryArn": registry}])
    service.when(lambda _: service.tasks("STOPPED"))
    assert registered(cloud, registry) == {}


def test_a_registry_in_use_stays(cloud: FakeCloud, registry: str) -> None:
    service = service_of(cloud, serviceRegistries=[{"registryArn": registry}])
    service.rolled_out()
    cloud_map, name = cloud.client("servicediscovery"), registry.rpartition("/")[2]
    with pytest.raises(ClientError, match="ResourceInUse"):
        cloud_map.delete_service(Id=name)
    service.update(desiredCount=0)
    until(lambda: not registered(cloud, registry))
    cloud_map.delete_service(Id=name)
    with pytest.raises(ClientError, match="ServiceNotFound"):
        cloud_map.get_service(Id=name)


def test_a_registry_that_is_not_there_is_refused(cloud: FakeCloud, registry: str) -> None:
    with pytest.raises(ClientError, match="Could not find the service registry"):
        service_of(cloud, serviceRegistries=[{"registryArn": f"{registry}x"}])
