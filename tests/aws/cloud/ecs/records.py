"""What ECS remembers of services: plain records, changed by the modules beside this one."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from ..asked import Json
from ..world import now

_EVENTS = 100  # DescribeServices shows no more


class Rollout(StrEnum):
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


class History(StrEnum):
    """The status of a service deployment."""

    IN_PROGRESS = "IN_PROGRESS"
    SUCCESSFUL = "SUCCESSFUL"
    STOPPED = "STOPPED"
    ROLLBACK_IN_PROGRESS = "ROLLBACK_IN_PROGRESS"
    ROLLBACK_SUCCESSFUL = "ROLLBACK_SUCCESSFUL"
    ROLLBACK_FAILED = "ROLLBACK_FAILED"


@dataclass(frozen=True)
class Revision:
    """What a deployment brings. It never changes."""

    arn: str
    settings: Mapping[str, Any]  # what triggers a deployment when it changes
    definition: Json  # of the task
    created_at: datetime = field(default_factory=now)


@dataclass
class ServiceDeployment:
    """What ListServiceDeployments tells of a change to a service, long after it is over."""

    arn: str
    target: Revision
    source: Revision | None
    status: History = History.IN_PROGRESS
    reason: str = ""
    created_at: datetime = field(default_factory=now)
    updated_at: datetime = field(default_factory=now)
    finished_at: datetime | None = None
    stopped_at: datetime | None = None
    rollback: Json | None = None
    failures: int = 0
    breaker: str = "DISABLED"

    @property
    def is_in_progress(self) -> bool:
        return self.status in (History.IN_PROGRESS, History.ROLLBACK_IN_PROGRESS)


@dataclass
class Deployment:
    """One of a service's `deployments`: those that still have tasks, and the PRIMARY."""

    id: str
    revision: Revision
    history: ServiceDeployment
    reason: str
    desired: int = 0
    status: str = "PRIMARY"
    rollout: Rollout = Rollout.IN_PROGRESS
    failed: int = 0
    was_completed: bool = False
    created_at: datetime = field(default_factory=now)
    updated_at: datetime = field(default_factory=now)


@dataclass(eq=False)
class Task:
    """A task; its times and statuses are those of DescribeTasks."""

    id: str
    arn: str
    service: "Service"
    deployment: Deployment
    launch_type: str
    capacity_provider: str
    instance: str  # ARN of a container instance; empty on Fargate
    host: str  # the EC2 instance of that
    zone: str
    address: str
    ports: dict[tuple[str, int], int]  # container and its port -> where it can be reached
    last_status: str = "PROVISIONING"
    desired_status: str = "RUNNING"
    health: str = "UNKNOWN"
    stop_code: str = ""
    stopped_reason: str = ""
    exit_code: int | None = None
    container_reason: str = ""
    has_failed: bool = False  # to start, or a health check
    is_counted: bool = False  # as one that has failed
    was_healthy: bool = False
    is_replacement: bool = False
    version: int = 1
    times: dict[str, datetime] = field(default_factory=dict)

    @property
    def definition(self) -> Json:
        return self.deployment.revision.definition

    @property
    def is_live(self) -> bool:
        """Nobody has told it to stop."""
        return self.desired_status == "RUNNING"

    @property
    def is_running(self) -> bool:
        return self.last_status == "RUNNING"

    @property
    def is_pending(self) -> bool:
        return self.is_live and self.last_status in {"PROVISIONING", "PENDING", "ACTIVATING"}

    @property
    def is_gone(self) -> bool:
        return self.last_status == "STOPPED"


@dataclass(eq=False)
class Service:
    name: str
    cluster: str  # ARN
    arn: str
    settings: Json
    desired: int
    created_by: str
    tags: dict[str, str]
    token: str = ""
    launch_type: str = ""  # what it was made with, and goes back to without capacity providers
    status: str = "ACTIVE"
    deployments: list[Deployment] = field(default_factory=list)
    histories: list[ServiceDeployment] = field(default_factory=list)
    revisions: dict[str, Revision] = field(default_factory=dict)
    completed: Deployment | None = None  # the last one that was; what is rolled back to
    events: deque[Json] = field(default_factory=lambda: deque(maxlen=_EVENTS))
    tasks: list[Task] = field(default_factory=list)
    is_steady: bool = False
    is_stuck: bool = False
    replacing: int = 0  # unhealthy tasks that were stopped, and whose successors are to come
    failures: int = 0  # in a row, of starting tasks
    waits_until: float = 0.0  # of the clock: nothing is started before
    created_at: datetime = field(default_factory=now)

    @property
    def primary(self) -> Deployment:
        return self.deployments[0]

    @property
    def is_daemon(self) -> bool:
        return bool(self.settings["schedulingStrategy"] == "DAEMON")

    @property
    def cluster_name(self) -> str:
        return self.cluster.rpartition("/")[2]

    def of(self, deployment: Deployment) -> list[Task]:
        return [each for each in self.tasks if each.deployment is deployment]

    def live(self) -> list[Task]:
        return [each for each in self.tasks if each.is_live]
