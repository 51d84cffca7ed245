"""The deployment circuit breaker, and stopping a deployment by hand."""

from collections.abc import Callable, Iterator

import pytest
from botocore.exceptions import ClientError

from .cloud import FakeCloud
from .scene import BREAKER, Service, active, behind, primary, service_of
from .waiting import until

NO_ROLLBACK = {"deploymentCircuitBreaker": {"enable": True, "rollback": False}}


@pytest.fixture
def service(cloud: FakeCloud) -> Service:
    made = service_of(cloud)
    made.rolled_out()
    return made


@pytest.mark.parametrize("tag", ["crash", "missing"])
def test_it_goes_back_to_the_last_completed_deployment(
    cloud: FakeCloud, service: Service, tag: str
) -> None:
    before = service.look()
    definition = cloud.task_definition(service.family, tag)
    begun = service.update(taskDefinition=definition, deploymentConfiguration=BREAKER)
    bad = primary(begun)["id"]
    service.when(lambda each: each["taskDefinition"] == before["taskDefinition"])
    found = service.rolled_out()
    good = primary(before)["id"]
    assert primary(found)["id"] == good
    assert f"(deployment {bad}) deployment failed: tasks failed to start." in service.said()
    assert f"rolling back to deployment {good}." in service.said()
    history = service.histories()[0]
    assert history["status"] == "ROLLBACK_SUCCESSFUL"
    assert history["deploymentCircuitBreaker"]["status"] == "TRIGGERED"
    assert history["rollback"]["serviceRevisionArn"] == history["sourceServiceRevisions"][0]["arn"]


def test_while_it_goes_back_both_are_seen(cloud: FakeCloud) -> None:
    """The tasks that were there before have to come again, and take their time."""
    counts = {"minimumHealthyPercent": 0, "maximumPercent": 100}
    service = service_of(cloud, tag="slow", deploymentConfiguration={**counts, **BREAKER})
    before = primary(service.rolled_out())
    with cloud.lasting("slow"):
        service.deploy("crash")
        found = service.when(lambda each: primary(each)["id"] == before["id"])
    reason = primary(found)["rolloutStateReason"]
    assert reason == (
        f"ECS deployment circuit breaker: rolling back to deploymentId {before['id']}."
    )
    assert primary(found)["rolloutState"] == "IN_PROGRESS"
    for failed in active(found):
        assert failed["rolloutState"] == "FAILED"
        assert failed["rolloutStateReason"] == (
            "ECS deployment circuit breaker: tasks failed to start."
        )


def test_without_rollback_it_stays_failed_and_starts_nothing(service: Service) -> None:
    service.deploy("crash", deploymentConfiguration=NO_ROLLBACK)
    found = service.when(lambda each: primary(each)["rolloutState"] == "FAILED")
    assert primary(found)["failedTasks"] >= 3
    assert [each["runningCount"] for each in active(found)] == [2]
    count = len(service.tasks("STOPPED"))
    service.update(healthCheckGracePeriodSeconds=1)  # something to look at the service for
    assert len(service.tasks("STOPPED")) == count
    assert service.histories()[0]["status"] == "STOPPED"


def test_a_failed_deployment_is_followed_by_the_next(service: Service) -> None:
    service.deploy("crash", deploymentConfiguration=NO_ROLLBACK)
    service.when(lambda each: primary(each)["rolloutState"] == "FAILED")
    arn = service.deploy("3")
    assert service.rolled_out()["taskDefinition"] == arn


def test_the_first_deployment_has_nothing_to_go_back_to(cloud: FakeCloud) -> None:
    service = service_of(cloud, tag="crash", deploymentConfiguration=BREAKER)
    found = service.when(lambda each: primary(each)["rolloutState"] == "FAILED")
    assert len(found["deployments"]) == 1


@pytest.mark.parametrize(
    ("desired", "settings", "expected"),
    [
        (2, {}, 3),
        (8, {}, 4),
        (8, {"thresholdConfiguration": {"type": "COUNT", "value": 6}}, 6),
        (4, {"thresholdConfiguration": {"type": "UNBOUNDED_PERCENT", "value": 25}}, 1),
    ],
)
def test_the_threshold(
    cloud: FakeCloud, desired: int, settings: dict[str, object], expected: int
) -> None:
    breaker = {"enable": True, "rollback": False, **settings}
    service = service_of(
        cloud, desiredCount=desired, deploymentConfiguration={"deploymentCircuitBreaker": breaker}
    )
    service.rolled_out()
    assert service.histories()[0]["deploymentCircuitBreaker"]["threshold"] == expected
    assert service.histories()[0]["deploymentCircuitBreaker"]["status"] == "MONITORING_COMPLETE"


def test_failed_health_checks_count(cloud: FakeCloud) -> None:
    balancer = cloud.load_balancer()
    service = service_of(cloud, loadBalancers=behind(balancer))
    good = service.rolled_out()
    service.deploy("unready", deploymentConfiguration=BREAKER)
    service.when(lambda each: each["taskDefinition"] == good["taskDefinition"])
    service.rolled_out()
    assert service.histories()[0]["status"] == "ROLLBACK_SUCCESSFUL"


def test_a_crash_after_a_while_does_not_count(service: Service) -> None:
    """The breaker saw tasks that ran: the deployment may even be completed, and never fails."""
    arn = service.deploy("exits", deploymentConfiguration=BREAKER)
    found = service.when(lambda each: len(service.tasks("STOPPED")) >= 8)
    assert found["taskDefinition"] == arn
    assert primary(found)["rolloutState"] != "FAILED"
    assert primary(found)["failedTasks"] == 0


def _stop(service: Service, how: str) -> Callable[[], object]:
    arn = service.histories()[0]["serviceDeploymentArn"]
    return lambda: service.ecs.stop_service_deployment(serviceDeploymentArn=arn, stopType=how)


@pytest.fixture
def endless(cloud: FakeCloud) -> Iterator[None]:
    """What is slow takes longer than the test."""
    with cloud.lasting("slow"):
        yield


@pytest.mark.usefixtures("endless")
def test_a_deployment_can_be_rolled_back_by_hand(service: Service) -> None:
    before = service.look()
    service.deploy("slow")
    _stop(service, "ROLLBACK")()
    assert service.rolled_out()["taskDefinition"] == before["taskDefinition"]
    assert service.histories()[0]["status"] == "ROLLBACK_SUCCESSFUL"


@pytest.mark.usefixtures("endless")
def test_a_deployment_can_be_aborted(service: Service) -> None:
    service.deploy("slow")
    _stop(service, "ABORT")()
    found = until(lambda: each if primary(each := service.look())["desiredCount"] else {})
    assert primary(found)["rolloutState"] == "FAILED"
    assert service.histories()[0]["status"] == "STOPPED"


@pytest.mark.parametrize("how", ["ROLLBACK", "ABORT"])
def test_what_is_over_cannot_be_stopped(service: Service, how: str) -> None:
    with pytest.raises(ClientError, match="ConflictException"):
        _stop(service, how)()
