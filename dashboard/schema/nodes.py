"""The catalogue and executions as the API shows them (reference 4.3).

Every attribute is there once the thing is loaded, so that a list costs one query however much of
it is asked for.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import Enum

import strawberry

from dashboard import models
from dashboard.models import (
    Artifact,
    Deployment,
    DeploymentType,
    EnvironmentType,
    Status,
    WorkflowType,
)

strawberry.enum(DeploymentType, description="The platform a service is deployed to.")
strawberry.enum(EnvironmentType)
strawberry.enum(WorkflowType)


@strawberry.enum(description="SUCCESS is what pages call Succeeded.")
class ExecutionStatus(Enum):
    QUEUED = Status.QUEUED
    RUNNING = Status.RUNNING
    PAUSED = Status.PAUSED
    ABORTING = Status.ABORTING
    SUCCESS = Status.SUCCEEDED
    FAILED = Status.FAILED
    ABORTED = Status.ABORTED


@strawberry.type(name="Application")
class ApplicationNode:
    id: str
    name: str
    description: str

    @classmethod
    def of(cls, application: models.Application) -> "ApplicationNode":
        return cls(
            id=str(application.pk), name=application.name, description=application.description
        )

    @classmethod
    def all(cls, found: Iterable[models.Application]) -> list["ApplicationNode"]:
        return [cls.of(each) for each in found]


@strawberry.type(name="Service", description="Something that is deployed.")
class ServiceNode:
    id: str
    name: str
    description: str
    deployment_type: DeploymentType
    artifact_type: str
    application: ApplicationNode

    @classmethod
    def of(cls, service: models.Service) -> "ServiceNode":
        return cls(
            id=str(service.pk),
            name=service.name,
            description=service.description,
            deployment_type=DeploymentType(service.deployment_type),
            artifact_type=service.artifact_type,
            application=ApplicationNode.of(service.application),
        )

    @classmethod
    def all(cls, found: Iterable[models.Service]) -> list["ServiceNode"]:
        return [cls.of(each) for each in found]


@strawberry.type(name="Environment", description="Where an application runs.")
class EnvironmentNode:
    id: str
    name: str
    type: EnvironmentType
    application: ApplicationNode

    @classmethod
    def of(cls, environment: models.Environment) -> "EnvironmentNode":
        return cls(
            id=str(environment.pk),
            name=environment.name,
            type=EnvironmentType(environment.environment_type),
            application=ApplicationNode.of(environment.application),
        )

    @classmethod
    def all(cls, found: Iterable[models.Environment]) -> list["EnvironmentNode"]:
        return [cls.of(each) for each in found]


@strawberry.type(
    name="InfrastructureDefinition", description="Where inside an environment a service lands."
)
class InfrastructureNode:
    id: str
    name: str
    environment: EnvironmentNode

    @classmethod
    def of(cls, infrastructure: models.Infrastructure) -> "InfrastructureNode":
        return cls(
            id=str(infrastructure.pk),
            name=infrastructure.name,
            environment=EnvironmentNode.of(infrastructure.environment),
        )

    @classmethod
    def all(cls, found: Iterable[models.Infrastructure]) -> list["InfrastructureNode"]:
        return [cls.of(each) for each in found]


@strawberry.type(name="Workflow", description="How one service goes to one infrastructure.")
class WorkflowNode:
    id: str
    name: str
    type: WorkflowType
    is_template: bool = strawberry.field(
        description="Whether the infrastructure is chosen at each execution."
    )
    service: ServiceNode

    @classmethod
    def of(cls, workflow: models.Workflow) -> "WorkflowNode":
        return cls(
            id=str(workflow.pk),
            name=workflow.name,
            type=WorkflowType(workflow.workflow_type),
            is_template=workflow.infrastructure_id is None,
            service=ServiceNode.of(workflow.service),
        )

    @classmethod
    def all(cls, found: Iterable[models.Workflow]) -> list["WorkflowNode"]:
        return [cls.of(each) for each in found]


@strawberry.type(description="What an artifact is a version of: here its service.")
class ArtifactSource:
    id: str
    name: str


@strawberry.type(name="Artifact", description="An immutable version of a service.")
class ArtifactNode:
    id: str
    build_no: str
    artifact_source: ArtifactSource

    @classmethod
    def of(cls, artifact: Artifact | None, service: models.Service) -> list["ArtifactNode"]:
        """One or none, as the list that the field's API has."""
        if artifact is None:
            return []
        source = ArtifactSource(id=str(service.pk), name=service.name)
        return [cls(id=str(artifact.pk), build_no=artifact.version, artifact_source=source)]

    @classmethod
    def all(cls, artifacts: Iterable[Artifact]) -> list["ArtifactNode"]:
        return [node for each in artifacts for node in cls.of(each, each.service)]


@strawberry.type(description="Who started it: their name, and nothing more of them.")
class TriggeredBy:
    id: str
    name: str


@strawberry.interface(description="Something that was executed.")
class Execution:
    id: str
    status: ExecutionStatus
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    application: ApplicationNode
    notes: str = strawberry.field(description="The reason that was given.")
    failure_details: str = strawberry.field(description="Why the status is what it is.")
    triggered_by: TriggeredBy


@strawberry.type(description="A deployment, or a rollback of one.")
class WorkflowExecution(Execution):
    artifacts: list[ArtifactNode] = strawberry.field(description="What it brings.")
    rollback_artifacts: list[ArtifactNode] = strawberry.field(
        description="What a rollback of it returns to, or has returned to."
    )
    service: ServiceNode
    environment: EnvironmentNode
    infrastructure_definition: InfrastructureNode
    workflow: WorkflowNode
    is_current: bool = strawberry.field(
        description="Whether it is what runs there; only that can be rolled back. Lastgood's own."
    )
    rolls_back: str | None = strawberry.field(
        description="The id of the execution this one undoes; null: a deployment. Lastgood's own."
    )

    @classmethod
    def of(cls, deployment: Deployment) -> "WorkflowExecution":
        """The node of a deployment that was loaded by `executions`."""
        target = deployment.target
        replaced = None if deployment.is_rollback else deployment.replaces
        return cls(
            id=str(deployment.pk),
            status=ExecutionStatus(deployment.status),
            created_at=deployment.created_at,
            started_at=deployment.started_at,
            ended_at=deployment.finished_at,
            application=ApplicationNode.of(target.service.application),
            notes=deployment.note,
            failure_details=deployment.message,
            triggered_by=TriggeredBy(
                id=str(deployment.started_by_id), name=deployment.started_by.label
            ),
            artifacts=ArtifactNode.of(deployment.artifact, target.service),
            rollback_artifacts=ArtifactNode.of(
                replaced.artifact if replaced else None, target.service
            ),
            service=ServiceNode.of(target.service),
            environment=EnvironmentNode.of(target.infrastructure.environment),
            infrastructure_definition=InfrastructureNode.of(target.infrastructure),
            workflow=WorkflowNode.of(deployment.workflow),
            is_current=target.current_deployment_id == deployment.pk,
            rolls_back=str(deployment.rolls_back_id) if deployment.rolls_back_id else None,
        )

    @classmethod
    def all(cls, deployments: Iterable[Deployment]) -> list[Execution]:
        return [cls.of(each) for each in deployments]
