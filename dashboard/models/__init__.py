"""The catalogue, workflows, deployments with their journal, and what is seen running."""

from dashboard.models.calls import ApiCall
from dashboard.models.catalogue import (
    Application,
    Artifact,
    ArtifactType,
    Connector,
    DeploymentType,
    Environment,
    EnvironmentType,
    Infrastructure,
    Service,
)
from dashboard.models.deployments import (
    ACTIVE,
    FINISHED,
    HOLDING,
    Deployment,
    Direction,
    Event,
    LogLine,
    Phase,
    Status,
    Step,
    StepStatus,
)
from dashboard.models.flags import FeatureFlag, Flag
from dashboard.models.freezes import DeploymentFreeze
from dashboard.models.instances import Instance
from dashboard.models.rosters import Roster
from dashboard.models.workers import Bucket, Turn, WorkerSeen
from dashboard.models.workflows import Target, Workflow, WorkflowRevision, WorkflowType

__all__ = [
    "ACTIVE",
    "FINISHED",
    "HOLDING",
    "ApiCall",
    "Application",
    "Artifact",
    "ArtifactType",
    "Bucket",
    "Connector",
    "Deployment",
    "DeploymentFreeze",
    "DeploymentType",
    "Direction",
    "Environment",
    "EnvironmentType",
    "Event",
    "FeatureFlag",
    "Flag",
    "Infrastructure",
    "Instance",
    "LogLine",
    "Phase",
    "Roster",
    "Service",
    "Status",
    "Step",
    "StepStatus",
    "Target",
    "Turn",
    "WorkerSeen",
    "Workflow",
    "WorkflowRevision",
    "WorkflowType",
]
