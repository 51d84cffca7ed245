"""Rolling updates of ECS services, as the scheduler carries them out."""

from collections.abc import Iterator

import pytest

from .cloud import FakeCloud
from .scene import Service, active, primary, service_of


@pytest.fixture
def service(cloud: FakeCloud) -> Service:
    made = service_of(cloud)
    made.rolled_out()
    return made


@pytest.fixture
def endless(cloud: FakeCloud) -> Iterator[None]:
    """What is slow takes longer than the test."""
    with cloud.lasting("slow"):
        yield


def test_a_service_comes_up(service: Service) -> None:
    found = service.look()
    deployment = primary(found)
    assert (found["status"], found["runningCount"], found["pendingCount"]) == ("ACTIVE", 2, 0)
    assert deployment["id"].startswith("ecs-svc/")
    assert deployment["rolloutStateReason"] == f"ECS deployment {deployment['id']} completed."
    begun, completed, steady = service.said()
    assert begun.startswith("has started 2 tasks: (task ")
    assert completed == f"(deployment {deployment['id']}) deployment completed."
    assert steady == "has reached a steady state."


@pytest.mark.usefixtures("endless")
def test_another_definition_is_another_deployment(service: Service) -> None:
    before = primary(service.look())
    arn = service.deploy("slow")
    found = service.look()
    assert found["taskDefinition"] == arn
    assert primary(found)["id"] != before["id"]
    assert primary(found)["rolloutState"] == "IN_PROGRESS"
    assert [(each["id"], each["runningCount"]) for each in active(found)] == [(before["id"], 2)]
    assert found["deployments"][0]["status"] == "PRIMARY"


def test_the_old_deployment_goes_when_its_tasks_have_gone(service: Service) -> None:
    old = {each["taskArn"] for each in service.tasks()}
    arn = service.deploy("2")
    found = service.rolled_out()
    tasks = service.tasks()
    assert {each["taskDefinitionArn"] for each in tasks} == {arn}
    assert {each["startedBy"] for each in tasks} == {primary(found)["id"]}
    stopped = {each["taskArn"]: each for each in service.tasks("STOPPED")}
    assert set(stopped) == old
    reason = f"Scaling activity initiated by (deployment {primary(found)['id']})"
    assert {each["stoppedReason"] for each in stopped.values()} == {reason}
    assert {each["stopCode"] for each in stopped.values()} == {"ServiceSchedulerInitiated"}


def test_nothing_new_is_no_deployment(service: Service) -> None:
    before = service.look()
    service.update(taskDefinition=before["taskDefinition"])
    service.update(healthCheckGracePeriodSeconds=5)
    assert primary(service.look())["id"] == primary(before)["id"]


def test_a_deployment_can_be_forced(service: Service) -> None:
    before = primary(service.look())["id"]
    service.update(forceNewDeployment=True)
    assert primary(service.rolled_out())["id"] != before


def test_another_count_is_no_deployment(service: Service) -> None:
    before = primary(service.look())
    service.update(desiredCount=3)
    found = service.when(lambda each: each["runningCount"] == 3)
    assert primary(found)["id"] == before["id"]
    assert (primary(found)["desiredCount"], primary(found)["rolloutState"]) == (3, "COMPLETED")
    service.update(desiredCount=0)
    service.when(lambda each: each["runningCount"] == 0)
    assert service.tasks() == []


@pytest.mark.parametrize(
    ("least", "most", "started", "stopped"),
    [(100, 200, 4, 0), (100, 150, 2, 0), (50, 100, 2, 2), (75, 100, 1, 1), (0, 100, 4, 4)],
)
def test_minimum_and_maximum_are_kept(
    cloud: FakeCloud, least: int, most: int, started: int, stopped: int
) -> None:
    """What is started and stopped while no new task runs yet."""
    counts = {"minimumHealthyPercent": least, "maximumPercent": most}
    service = service_of(cloud, desiredCount=4, deploymentConfiguration=counts)
    service.rolled_out()
    with cloud.lasting("slow"):
        service.deploy("slow")
        found = service.when(lambda each: primary(each)["pendingCount"] == started)
        left = sum(each["runningCount"] for each in active(found))
        assert left == 4 - stopped
    assert primary(service.rolled_out())["runningCount"] == 4


def test_no_room_to_move_is_said(cloud: FakeCloud) -> None:
    counts = {"minimumHealthyPercent": 100, "maximumPercent": 100}
    service = service_of(cloud, deploymentConfiguration=counts)
    service.rolled_out()
    service.deploy("2")
    service.when(lambda each: "was unable to stop or start" in each["events"][0]["message"])
    assert primary(service.look())["runningCount"] == 0


@pytest.mark.usefixtures("endless")
def test_a_newer_deployment_takes_over(service: Service) -> None:
    service.deploy("slow")
    arn = service.deploy("3")
    found = service.rolled_out()
    assert found["taskDefinition"] == arn
    newest, superseded, _ = service.histories()
    assert (newest["status"], superseded["status"]) == ("SUCCESSFUL", "STOPPED")


@pytest.mark.parametrize("tag", ["missing", "crash"])
def test_what_does_not_come_up_leaves_the_old_tasks_running(service: Service, tag: str) -> None:
    service.deploy(tag)
    service.when(lambda each: len(service.tasks("STOPPED")) >= 3)
    found = service.look()
    assert [each["runningCount"] for each in active(found)] == [2]
    assert primary(found)["rolloutState"] == "IN_PROGRESS"


def test_starting_again_and_again_is_slowed_down(service: Service) -> None:
    service.deploy("crash")
    text = "is unable to consistently start tasks successfully."
    service.when(lambda each: any(text in event["message"] for event in each["events"]))
    assert primary(service.look())["failedTasks"] >= 2
