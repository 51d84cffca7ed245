"""What Auto Scaling remembers: groups, their instances, what happened to them, refreshes."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import uuid4

from ..asked import Json
from ..ecs.fates import Fate
from ..refusals import Refused
from ..world import now


class Lifecycle(StrEnum):
    PENDING = "Pending"
    IN_SERVICE = "InService"
    TERMINATING = "Terminating"


@dataclass(frozen=True)
class Template:
    """Exactly what an instance is launched from: a version is always a number here."""

    id: str
    name: str
    version: str
    image: str
    instance_type: str

    @property
    def shown(self) -> Json:
        return {
            "LaunchTemplateId": self.id,
            "LaunchTemplateName": self.name,
            "Version": self.version,
        }


@dataclass
class Activity:
    id: str
    description: str
    cause: str
    status: str = "InProgress"
    message: str = ""
    progress: int = 30
    started_at: datetime = field(default_factory=now)
    ended_at: datetime | None = None

    def end(self, status: str = "Successful", message: str = "") -> None:
        self.status, self.message = status, message
        self.progress, self.ended_at = 100, now()


@dataclass(eq=False)
class Instance:
    id: str
    zone: str
    template: Template
    fate: Fate
    activity: Activity
    lifecycle: Lifecycle = Lifecycle.PENDING
    health: str = "Healthy"
    is_protected: bool = False
    why_unhealthy: str = ""
    in_service_at: datetime | None = None

    @property
    def is_staying(self) -> bool:
        return self.lifecycle is not Lifecycle.TERMINATING


@dataclass(eq=False)
class Refresh:
    id: str
    desired: Json | None  # the DesiredConfiguration
    preferences: Json
    before: Json  # the launch settings to go back to
    template: Template  # what instances are replaced by
    to_replace: list[str]  # instances
    total: int
    status: str = "Pending"
    reason: str = ""
    started_at: datetime = field(default_factory=now)
    ended_at: datetime | None = None
    rollback: Json | None = None
    unready: int = 0  # instances that are there and not healthy yet
    waits_since: float | None = None  # for them

    @property
    def is_active(self) -> bool:
        return self.status in {"Pending", "InProgress", "Cancelling", "RollbackInProgress"}

    @property
    def percentage(self) -> int:
        done = max(self.total - len(self.to_replace) - self.unready, 0)
        share = 100 * done // self.total if self.total else 100
        return 100 - share if self.rollback else share


@dataclass(eq=False)
class Group:
    name: str
    arn: str
    settings: Json  # as CreateAutoScalingGroup and UpdateAutoScalingGroup take them
    tags: dict[str, Json]
    instances: list[Instance] = field(default_factory=list)
    suspended: dict[str, str] = field(default_factory=dict)
    target_groups: dict[str, str] = field(default_factory=dict)  # ARN -> state
    activities: list[Activity] = field(default_factory=list)  # newest first
    refreshes: list[Refresh] = field(default_factory=list)  # newest first
    is_deleting: bool = False
    is_gone: bool = False
    failures: int = 0  # launches in a row
    waits_until: float = 0.0
    why: str = ""  # the last request that changed what is desired
    created_at: datetime = field(default_factory=now)

    @property
    def desired(self) -> int:
        return 0 if self.is_deleting else int(self.settings["DesiredCapacity"])

    @property
    def staying(self) -> list[Instance]:
        return [each for each in self.instances if each.is_staying]

    @property
    def refresh(self) -> Refresh | None:
        """The one that is under way."""
        return next((each for each in self.refreshes if each.is_active), None)

    def may(self, process: str) -> bool:
        return process not in self.suspended or self.is_deleting

    def begin(self, description: str, cause: str) -> Activity:
        made = Activity(str(uuid4()), description, f"At {stamp()} {cause}")
        self.activities.insert(0, made)
        return made


def stamp() -> str:
    return now().strftime("%Y-%m-%dT%H:%M:%SZ")


def refused(message: str) -> Refused:
    """Auto Scaling's word for nearly everything."""
    return Refused("ValidationError", message)
