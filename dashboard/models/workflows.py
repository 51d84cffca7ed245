"""How a service goes to an infrastructure, and the row that is locked while it does."""

from typing import Any, ClassVar, Self

from django.db import models

from accounts import policy
from accounts.models import User
from accounts.vocabulary import Right
from dashboard.models.catalogue import NAME, Application, Infrastructure, Service


class WorkflowType(models.TextChoices):
    BASIC = "BASIC", "Basic"
    ROLLING = "ROLLING", "Rolling"
    CANARY = "CANARY", "Canary"
    BLUE_GREEN = "BLUE_GREEN", "Blue/Green"
    MULTI_SERVICE = "MULTI_SERVICE", "Multi-Service"
    BUILD = "BUILD", "Build"


class Workflow(models.Model):
    """How one service goes to one infrastructure; without one it is asked for when executed."""

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="workflows")
    name = models.CharField(max_length=80, validators=[NAME])
    workflow_type = models.CharField(max_length=14, choices=WorkflowType.choices)
    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="workflows")
    infrastructure = models.ForeignKey(
        Infrastructure,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        help_text="Empty: a template; the infrastructure is chosen at each execution.",
    )
    current_revision = models.ForeignKey(
        "WorkflowRevision", on_delete=models.RESTRICT, null=True, editable=False, related_name="+"
    )
    archived_at = models.DateTimeField(
        null=True, blank=True, help_text="Set when the workflow was deleted; its history stays."
    )

    class Meta:
        ordering = ("application__name", "name")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["application", "name"],
                condition=models.Q(archived_at__isnull=True),
                name="workflow_name",
            )
        ]

    def __str__(self) -> str:
        return f"{self.application.name} / {self.name}"


class WorkflowRevision(models.Model):
    """One edit of a workflow's definition; never changed afterwards."""

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()
    definition = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True)

    class Meta:
        ordering = ("-number",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workflow", "number"], name="revision_number")
        ]

    def __str__(self) -> str:
        return f"{self.workflow.name} r{self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save a new revision; an existing one cannot be changed."""
        if self.pk and not kwargs.get("force_insert"):
            raise TypeError("A workflow revision is immutable: make a new one.")
        super().save(*args, **kwargs)


class TargetQuerySet(models.QuerySet["Target"]):
    def visible_to(self, actor: User) -> Self:
        """The targets in environments whose deployments the actor may see."""
        return self.filter(
            infrastructure__environment__in=policy.environment_ids(actor, Right.VIEW_DEPLOYMENTS)
        )


class Target(models.Model):
    """One service on one infrastructure: knows its current deployment, and is locked by it."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="targets")
    infrastructure = models.ForeignKey(
        Infrastructure, on_delete=models.CASCADE, related_name="targets"
    )
    current_deployment = models.ForeignKey(
        "Deployment", on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )
    latest_deployment = models.ForeignKey(
        "Deployment", on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )
    synced_at = models.DateTimeField(null=True, editable=False)
    sync_tried_at = models.DateTimeField(null=True, editable=False)
    sync_error = models.CharField(max_length=500, blank=True, editable=False)

    objects = TargetQuerySet.as_manager()

    class Meta:
        ordering = ("service", "infrastructure")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["service", "infrastructure"], name="target")
        ]

    def __str__(self) -> str:
        return f"{self.service.name} on {self.infrastructure}"
