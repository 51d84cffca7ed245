"""What Application Auto Scaling remembers: services that may be scaled, and by what."""

from dataclasses import dataclass, field
from datetime import datetime

from ..asked import Json
from ..refusals import Refused
from ..world import now

DIMENSION = "ecs:service:DesiredCount"
_NOTHING = {
    "DynamicScalingInSuspended": False,
    "DynamicScalingOutSuspended": False,
    "ScheduledScalingSuspended": False,
}


@dataclass(eq=False)
class Policy:
    name: str
    arn: str
    kind: str  # "TargetTrackingScaling" or "StepScaling"
    settings: Json
    alarms: list[Json]
    created_at: datetime = field(default_factory=now)

    @property
    def scales_in(self) -> bool:
        return not self.settings.get("DisableScaleIn")


@dataclass(eq=False)
class Target:
    resource: str  # service/cluster/name
    arn: str
    role: str
    low: int
    high: int
    suspended: Json = field(default_factory=lambda: dict(_NOTHING))
    policies: dict[str, Policy] = field(default_factory=dict)
    created_at: datetime = field(default_factory=now)

    def within(self, count: int) -> int:
        return min(max(count, self.low), self.high)


def invalid(message: str) -> Refused:
    return Refused("ValidationException", message)


def missing(what: str, resource: str) -> Refused:
    return Refused(
        "ObjectNotFoundException",
        f"{what} for service namespace: ecs, resource ID: {resource}, scalable dimension: "
        f"{DIMENSION}",
    )
