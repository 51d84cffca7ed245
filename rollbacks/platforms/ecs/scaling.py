"""Application Auto Scaling of a service: its scalable target and policies, as a capture keeps them.

Pure. While a service is resized its target is suspended, not deregistered: that would take its
scheduled actions with it, and tear step scaling policies from their alarms.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

NAMESPACE = "ecs"
DIMENSION = "ecs:service:DesiredCount"
ALL_SUSPENDED = {
    "DynamicScalingInSuspended": True,
    "DynamicScalingOutSuspended": True,
    "ScheduledScalingSuspended": True,
}
_POLICY = (
    "PolicyName",
    "PolicyType",
    "StepScalingPolicyConfiguration",
    "TargetTrackingScalingPolicyConfiguration",
    "PredictiveScalingPolicyConfiguration",
)
_PER_TARGET = "ALBRequestCountPerTarget"


@dataclass(frozen=True)
class Scaling:
    """Of one service that is a scalable target."""

    minimum: int
    maximum: int
    suspended: Mapping[str, bool]
    policies: tuple[Mapping[str, Any], ...] = ()
    arn: str = ""

    @classmethod
    def parsed(cls, kept: Mapping[str, Any] | None) -> Self | None:
        """Out of a capture."""
        if kept is None:
            return None
        policies = tuple(kept["policies"])
        return cls(kept["minimum"], kept["maximum"], kept["suspended"], policies)

    @property
    def as_json(self) -> dict[str, Any]:
        return {
            "minimum": self.minimum,
            "maximum": self.maximum,
            "suspended": dict(self.suspended),
            "policies": [dict(each) for each in self.policies],
        }

    @property
    def acts(self) -> bool:
        """Whether something but us may change the count now."""
        return bool(self.policies) and not all(
            self.suspended.get(each) for each in ("DynamicScalingInSuspended", _OUT)
        )

    @property
    def is_calm(self) -> bool:
        return all(self.suspended.get(each) for each in ALL_SUSPENDED)


_OUT = "DynamicScalingOutSuspended"


def scaling_of(target: Mapping[str, Any], policies: Iterable[Mapping[str, Any]]) -> Scaling:
    """As DescribeScalableTargets and DescribeScalingPolicies tell it."""
    told = target.get("SuspendedState") or {}
    kept = (
        {key: each[key] for key in _POLICY if each.get(key) not in (None, [])} for each in policies
    )
    return Scaling(
        int(target["MinCapacity"]),
        int(target["MaxCapacity"]),
        {key: bool(told.get(key)) for key in ALL_SUSPENDED},
        tuple(sorted(kept, key=lambda each: str(each["PolicyName"]))),
        str(target.get("ScalableTargetARN", "")),
    )


def copied(policies: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Those that another service can have: not those that count one target group's requests."""
    return [dict(each) for each in policies if not is_per_target(each)]


def is_per_target(policy: Mapping[str, Any]) -> bool:
    tracking = policy.get("TargetTrackingScalingPolicyConfiguration") or {}
    metric = tracking.get("PredefinedMetricSpecification") or {}
    return metric.get("PredefinedMetricType") == _PER_TARGET


def is_by_step(policy: Mapping[str, Any]) -> bool:
    """Whether it acts on alarms of somebody's own, which know nothing of another service."""
    return bool(policy["PolicyType"] == "StepScaling")
