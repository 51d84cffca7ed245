"""Application Auto Scaling of the fake cloud's ECS services."""

from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .cloud import FakeCloud
from .scene import Service, service_of

Json = dict[str, Any]
CPU = {
    "TargetValue": 60.0,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
}
MEMORY = {
    "TargetValue": 70.0,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageMemoryUtilization"},
}


@dataclass(frozen=True)
class Scaled:
    """A service of two tasks that may be from one to four."""

    service: Service
    client: Any

    @property
    def what(self) -> dict[str, str]:
        return {
            "ServiceNamespace": "ecs",
            "ScalableDimension": "ecs:service:DesiredCount",
            "ResourceId": f"service/{self.service.cluster}/{self.service.name}",
        }

    @property
    def desired(self) -> int:
        return int(self.service.look()["desiredCount"])

    def register(self, **given: Any) -> None:
        self.client.register_scalable_target(**self.what, **given)

    def put(self, settings: Json, name: str = "cpu") -> str:
        made = self.client.put_scaling_policy(
            **self.what,
            PolicyName=name,
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration=settings,
        )
        return str(made["PolicyARN"])

    def target(self) -> Json:
        (found,) = self.client.describe_scalable_targets(
            ServiceNamespace="ecs", ResourceIds=[self.what["ResourceId"]]
        )["ScalableTargets"]
        return dict(found)

    def policies(self) -> list[Json]:
        found: list[Json] = self.client.describe_scaling_policies(**self.what)["ScalingPolicies"]
        return found

    def meets(self, tasks: int) -> int:
        """What is desired once there is work for so many."""
        count = self.service.cloud.demand(self.service.cluster, self.service.name, tasks)
        assert count == self.desired
        return count


@pytest.fixture
def scaled(cloud: FakeCloud) -> Scaled:
    service = service_of(cloud)
    service.rolled_out()
    made = Scaled(service, cloud.client("application-autoscaling"))
    made.register(MinCapacity=1, MaxCapacity=4)
    return made


def test_a_target_is_told_as_it_was_registered(scaled: Scaled) -> None:
    found = scaled.target()
    assert scaled.what.items() <= found.items()
    assert (found["MinCapacity"], found["MaxCapacity"]) == (1, 4)
    assert set(found["SuspendedState"].values()) == {False}
    assert found["ScalableTargetARN"].startswith("arn:aws:application-autoscaling:")


def test_what_is_not_said_stays(scaled: Scaled) -> None:
    scaled.register(SuspendedState={"DynamicScalingInSuspended": True})
    arn = scaled.target()["ScalableTargetARN"]
    scaled.register(MaxCapacity=6)
    found = scaled.target()
    assert (found["MinCapacity"], found["MaxCapacity"]) == (1, 6)
    assert found["SuspendedState"] == {
        "DynamicScalingInSuspended": True,
        "DynamicScalingOutSuspended": False,
        "ScheduledScalingSuspended": False,
    }
    assert found["ScalableTargetARN"] == arn


@pytest.mark.parametrize(("low", "high", "count"), [(3, 5, 3), (0, 1, 1), (1, 5, 2)])
def test_registering_brings_the_count_between_the_bounds(
    scaled: Scaled, low: int, high: int, count: int
) -> None:
    scaled.register(MinCapacity=low, MaxCapacity=high)
    assert scaled.desired == count
    scaled.service.rolled_out()


def test_registering_again_brings_back_a_service_that_was_emptied(scaled: Scaled) -> None:
    scaled.service.update(desiredCount=0)
    scaled.register(SuspendedState={"DynamicScalingOutSuspended": True})
    assert scaled.desired == 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"MinCapacity": 5}, "Maximum capacity cannot be less than minimum"),
        ({"ResourceId": "service/none/none", "MinCapacity": 1, "MaxCapacity": 2}, "doesn't exist"),
        ({"ResourceId": "none", "MinCapacity": 1, "MaxCapacity": 2}, "Unsupported resource ID"),
        ({"ScalableDimension": "ec2:spot-fleet-request:TargetCapacity"}, "Unsupported scalable"),
    ],
)
def test_what_does_not_fit_is_refused(scaled: Scaled, given: Json, message: str) -> None:
    with pytest.raises(ClientError, match="ValidationException") as raised:
        scaled.client.register_scalable_target(**{**scaled.what, **given})
    assert message in raised.value.response["Error"]["Message"]


def test_a_new_target_needs_bounds(cloud: FakeCloud) -> None:
    unscaled = Scaled(service_of(cloud), cloud.client("application-autoscaling"))
    with pytest.raises(ClientError, match="Min and max capacity are required"):
        unscaled.register(MinCapacity=1)


def test_a_policy_is_put_by_its_name(scaled: Scaled) -> None:
    arn = scaled.put(CPU)
    assert scaled.put({**CPU, "TargetValue": 50.0}) == arn
    (found,) = scaled.policies()
    assert (found["PolicyName"], found["PolicyType"]) == ("cpu", "TargetTrackingScaling")
    assert found["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 50.0
    names = [each["AlarmName"] for each in found["Alarms"]]
    assert ["AlarmHigh" in names[0], "AlarmLow" in names[1]] == [True, True]


def test_each_metric_has_one_policy(scaled: Scaled) -> None:
    scaled.put(CPU)
    scaled.put(MEMORY, "memory")
    with pytest.raises(ClientError, match="Only one TargetTrackingScaling policy"):
        scaled.put(CPU, "again")
    assert [each["PolicyName"] for each in scaled.policies()] == ["cpu", "memory"]


def test_policies_go_with_the_target(scaled: Scaled) -> None:
    scaled.put(CPU)
    scaled.client.deregister_scalable_target(**scaled.what)
    assert scaled.policies() == []
    scaled.register(MinCapacity=1, MaxCapacity=4)
    assert scaled.policies() == []


def test_a_policy_is_deleted_once(scaled: Scaled) -> None:
    scaled.put(CPU)
    scaled.client.delete_scaling_policy(**scaled.what, PolicyName="cpu")
    with pytest.raises(ClientError, match="ObjectNotFoundException"):
        scaled.client.delete_scaling_policy(**scaled.what, PolicyName="cpu")


def test_without_a_target_there_is_no_policy(scaled: Scaled) -> None:
    scaled.client.deregister_scalable_target(**scaled.what)
    with pytest.raises(ClientError, match="ObjectNotFoundException"):
        scaled.put(CPU)
    with pytest.raises(ClientError, match="ObjectNotFoundException"):
        scaled.client.deregister_scalable_target(**scaled.what)


def test_demand_moves_the_count_between_the_bounds(scaled: Scaled) -> None:
    assert scaled.meets(3) == 2  # no policy, no scaling
    scaled.put(CPU)
    assert scaled.meets(3) == 3
    assert scaled.meets(9) == 4
    scaled.service.rolled_out()
    assert scaled.meets(0) == 1


@pytest.mark.parametrize(("process", "tasks"), [("Out", 4), ("In", 1)])
def test_suspended_scaling_waits(scaled: Scaled, process: str, tasks: int) -> None:
    scaled.put(CPU)
    scaled.register(SuspendedState={f"DynamicScaling{process}Suspended": True})
    assert scaled.meets(tasks) == 2
    scaled.register(SuspendedState={f"DynamicScaling{process}Suspended": False})
    assert scaled.meets(tasks) == tasks


def test_during_a_deployment_it_only_scales_out(cloud: FakeCloud, scaled: Scaled) -> None:
    scaled.put(CPU)
    with cloud.lasting("slow"):
        scaled.service.deploy("slow")
        assert scaled.meets(1) == 2
        assert scaled.meets(3) == 3
    scaled.service.rolled_out()
    assert scaled.meets(1) == 1


def test_a_policy_may_not_scale_in(scaled: Scaled) -> None:
    scaled.put({**CPU, "DisableScaleIn": True})
    assert scaled.meets(1) == 2


def test_below_the_minimum_only_more_work_brings_it_up(scaled: Scaled) -> None:
    scaled.register(MinCapacity=2)
    scaled.put(CPU)
    scaled.service.update(desiredCount=0)
    scaled.service.rolled_out()
    assert scaled.meets(0) == 0
    assert scaled.meets(1) == 2


def test_what_else_may_be_scaled_is_not_modelled(cloud: FakeCloud) -> None:
    with pytest.raises(ClientError, match="Application Auto Scaling of dynamodb"):
        cloud.client("application-autoscaling").describe_scalable_targets(
            ServiceNamespace="dynamodb"
        )
