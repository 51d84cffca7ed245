"""The API of what runs where: everything is loaded through what the caller may see."""

import strawberry

from accounts.api import Info, actor_of, field, key_of
from accounts.needs import VIEW_DEPLOYMENTS, VISIBLE
from accounts.paging import MOST, Connection, page
from dashboard.schema import lookup
from dashboard.schema.filters import ApplicationsFilter, ExecutionFilter, narrowed, of_applications
from dashboard.schema.nodes import (
    ApplicationNode,
    ArtifactNode,
    EnvironmentNode,
    Execution,
    InfrastructureNode,
    ServiceNode,
    WorkflowExecution,
    WorkflowNode,
)

types = (WorkflowExecution,)


@strawberry.type
class Query:
    @field(VISIBLE)
    def application(self, info: Info, application_id: str) -> ApplicationNode | None:
        """The application with this id."""
        found = lookup.applications(actor_of(info)).filter(pk=key_of(application_id))
        return ApplicationNode.of(lookup.only(found, "application"))

    @field(VISIBLE)
    def application_by_name(self, info: Info, name: str) -> ApplicationNode | None:
        """The application of this name; names are unique."""
        found = lookup.applications(actor_of(info)).filter(name=name)
        return ApplicationNode.of(lookup.only(found, "application"))

    @field(VISIBLE)
    def applications(
        self, info: Info, limit: int = MOST, offset: int = 0
    ) -> Connection[ApplicationNode] | None:
        """The applications you may see, by name."""
        return page(info, lookup.applications(actor_of(info)), ApplicationNode.all, limit, offset)

    @field(VISIBLE)
    def services(
        self,
        info: Info,
        filters: list[ApplicationsFilter] | None = None,
        limit: int = MOST,
        offset: int = 0,
    ) -> Connection[ServiceNode] | None:
        """The services of the applications you may see."""
        found = of_applications(lookup.services(actor_of(info)), filters)
        return page(info, found, ServiceNode.all, limit, offset)

    @field(VISIBLE)
    def artifacts(
        self, info: Info, service_id: str, limit: int = MOST, offset: int = 0
    ) -> Connection[ArtifactNode] | None:
        """The versions of a service, the newest first. Lastgood's own."""
        found = lookup.artifacts(actor_of(info), service_id)
        return page(info, found, ArtifactNode.all, limit, offset)

    @field(VISIBLE)
    def environments(
        self,
        info: Info,
        filters: list[ApplicationsFilter] | None = None,
        limit: int = MOST,
        offset: int = 0,
    ) -> Connection[EnvironmentNode] | None:
        """The environments whose deployments you may see."""
        found = of_applications(lookup.environments(actor_of(info)), filters)
        return page(info, found, EnvironmentNode.all, limit, offset)

    @field(VISIBLE)
    def infrastructure_definitions(
        self, info: Info, environment_id: str, limit: int = MOST, offset: int = 0
    ) -> Connection[InfrastructureNode] | None:
        """Where in an environment services can land. Lastgood's own."""
        actor = actor_of(info)
        visible = lookup.environments(actor).filter(pk=key_of(environment_id))
        environment = lookup.only(visible, "environment")
        found = lookup.infrastructures(actor).filter(environment=environment)
        return page(info, found, InfrastructureNode.all, limit, offset)

    @field(VISIBLE)
    def workflows(
        self,
        info: Info,
        filters: list[ApplicationsFilter] | None = None,
        limit: int = MOST,
        offset: int = 0,
    ) -> Connection[WorkflowNode] | None:
        """The workflows of the applications you may see."""
        found = of_applications(lookup.workflows(actor_of(info)), filters)
        return page(info, found, WorkflowNode.all, limit, offset)

    @field(VIEW_DEPLOYMENTS)
    def execution(self, info: Info, execution_id: str) -> Execution | None:
        """The deployment or rollback with this id."""
        return WorkflowExecution.of(lookup.execution_of(actor_of(info), execution_id))

    @field(VIEW_DEPLOYMENTS)
    def executions(
        self,
        info: Info,
        filters: list[ExecutionFilter] | None = None,
        limit: int = MOST,
        offset: int = 0,
    ) -> Connection[Execution] | None:
        """Deployments and rollbacks where you may look, the newest first."""
        return _executions(info, filters, limit, offset)

    @field(VIEW_DEPLOYMENTS)
    def deployments(
        self,
        info: Info,
        filters: list[ExecutionFilter] | None = None,
        limit: int = MOST,
        offset: int = 0,
    ) -> Connection[Execution] | None:
        """The same as executions, by the word of Lastgood's pages."""
        return _executions(info, filters, limit, offset)


def _executions(
    info: Info, filters: list[ExecutionFilter] | None, limit: int, offset: int
) -> Connection[Execution]:
    found = narrowed(lookup.executions(actor_of(info)), filters)
    return page(info, found, WorkflowExecution.all, limit, offset)
