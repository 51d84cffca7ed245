from typing import Any

import pytest

from rollbacks.platforms.ecs import services
from tests.platforms.ecs.described import ARN, deployment, service

GROUP = {"targetGroupArn": "arn:x:targetgroup/one/1", "containerName": "web", "containerPort": 80}


@pytest.mark.parametrize(
    ("described", "is_out"),
    [
        ({}, True),
        ({"deployments": [deployment(rolloutState=None)]}, True),
        ({"deployments": [deployment(rolloutState="IN_PROGRESS")]}, False),
        ({"deployments": [deployment(), deployment(status="ACTIVE")]}, False),
        ({"runningCount": 1}, False),
        ({"pendingCount": 1}, False),
        ({"desiredCount": 1}, False),
    ],
)
def test_rolled_out_is_one_completed_deployment_with_all_its_tasks(
    described: dict[str, Any], is_out: bool
) -> None:
    assert service(**described).is_rolled_out is is_out


def test_the_primary_deployment_is_first_however_they_are_told() -> None:
    found = service(deployments=[deployment(status="ACTIVE"), deployment(id="mine")])
    assert found.primary["id"] == "mine"


def test_only_what_differs_is_told() -> None:
    now = service(loadBalancers=[GROUP], healthCheckGracePeriodSeconds=30)
    was = services.settings_of(service(loadBalancers=[], platformVersion="1.4.0"))
    assert services.differing(now, was) == {
        "loadBalancers": [],
        "healthCheckGracePeriodSeconds": 0,
        "platformVersion": "1.4.0",
    }
    assert services.differing(now, services.settings_of(now)) == {}


def test_what_was_not_said_and_cannot_be_unsaid_stays() -> None:
    now = service(platformVersion="1.4.0")
    assert services.differing(now, services.settings_of(service())) == {}


def test_a_new_service_is_as_the_base_without_tasks() -> None:
    base = service(
        loadBalancers=[GROUP],
        placementConstraints=[],
        schedulingStrategy="REPLICA",
        propagateTags="NONE",
        launchType="EC2",
        createdBy=ARN,
    )
    assert services.creation(base, "EC2") == {
        "loadBalancers": [GROUP],
        "schedulingStrategy": "REPLICA",
        "launchType": "EC2",
        "desiredCount": 0,
    }


def test_capacity_providers_stand_for_a_launch_type() -> None:
    spot = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    base = service(capacityProviderStrategy=spot)
    assert base.launch_type == "FARGATE"
    assert "launchType" not in services.creation(base, "FARGATE")


PROXY = {"logDriver": "splunk", "options": {"splunk-token": "canary"}}
CONNECTED = {"enabled": True, "namespace": "shop", "logConfiguration": PROXY}


def connected(**described: Any) -> Any:
    return service(deployments=[deployment(serviceConnectConfiguration=CONNECTED)], **described)


def test_other_capacity_providers_take_a_new_deployment() -> None:
    spot = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    was = services.settings_of(service(capacityProviderStrategy=spot))
    told = services.differing(service(capacityProviderStrategy=[]), was)
    assert told == {"capacityProviderStrategy": spot, "forceNewDeployment": True}


def test_what_only_deployments_tell_is_a_setting_too_but_for_what_may_be_secret() -> None:
    kept = services.settings_of(connected())
    assert kept["serviceConnectConfiguration"] == {"enabled": True, "namespace": "shop"}
    told = services.differing(connected(), services.settings_of(service()))
    assert told == {"serviceConnectConfiguration": {"enabled": False}}
    elsewhere = {"serviceConnectConfiguration": {"enabled": True, "namespace": "other"}}
    told = services.differing(connected(), {**kept, **elsewhere})
    assert told["serviceConnectConfiguration"] == {
        "enabled": True,
        "namespace": "other",
        "logConfiguration": PROXY,
    }


def test_what_a_capture_says_nothing_of_stays() -> None:
    assert services.differing(connected(), {}) == {}


def test_a_new_service_is_connected_as_the_base() -> None:
    volumes = [{"name": "data", "managedEBSVolume": {"roleArn": ARN}}]
    base = service(
        deployments=[
            deployment(serviceConnectConfiguration=CONNECTED, volumeConfigurations=volumes)
        ]
    )
    made = services.creation(base, "FARGATE")
    assert made["serviceConnectConfiguration"] == CONNECTED
    assert made["volumeConfigurations"] == volumes


def test_what_is_being_deleted_is_not_there() -> None:
    assert not service(status="DRAINING").is_active
    assert service(desiredCount=0, runningCount=0, pendingCount=1).is_active
    assert not service(desiredCount=0, runningCount=0).is_active
