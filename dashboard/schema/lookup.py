"""Finds what the caller may see; what they may not see is not found, as if it were absent."""

from typing import TypeVar

from django.db.models import Model, QuerySet

from accounts.api import NotFound, key_of
from accounts.models import User
from dashboard.models import (
    Application,
    Artifact,
    Deployment,
    Environment,
    Infrastructure,
    Service,
    Workflow,
)

Thing = TypeVar("Thing", bound=Model)


def only(things: QuerySet[Thing], what: str) -> Thing:
    """The first of what should be one. Raises NotFound."""
    thing = things.first()
    if thing is None:
        raise NotFound(f"There is no such {what} that you may see. Check what you asked for.")
    return thing


def applications(actor: User) -> QuerySet[Application]:
    return Application.objects.visible_to(actor)


def services(actor: User) -> QuerySet[Service]:
    return Service.objects.visible_to(actor).select_related("application")


def artifacts(actor: User, service_id: str) -> QuerySet[Artifact]:
    """The newest first."""
    service = only(services(actor).filter(pk=key_of(service_id)), "service")
    return Artifact.objects.filter(service=service).select_related("service")


def environments(actor: User) -> QuerySet[Environment]:
    return Environment.objects.visible_to(actor).select_related("application")


def infrastructures(actor: User) -> QuerySet[Infrastructure]:
    visible = Infrastructure.objects.filter(environment__in=Environment.objects.visible_to(actor))
    return visible.select_related("environment__application")


def workflows(actor: User) -> QuerySet[Workflow]:
    """Those that were not deleted."""
    visible = Workflow.objects.filter(application__in=applications(actor), archived_at=None)
    return visible.select_related("service__application")


def executions(actor: User) -> QuerySet[Deployment]:
    """With everything a node shows of them, in the same query; the newest first."""
    return (
        Deployment.objects.visible_to(actor)
        .with_names()
        .select_related(
            "replaces__artifact",
            "target__infrastructure__environment__application",
            "workflow__service__application",
        )
    )


def execution_of(actor: User, execution_id: str) -> Deployment:
    """Raises NotFound."""
    return only(executions(actor).filter(pk=key_of(execution_id)), "execution")
