"""Deployments and their journal. `rollbacks.lifecycle` is the only writer of a status."""

from typing import ClassVar, Self

from django.db import models

from accounts import policy
from accounts.models import User
from accounts.vocabulary import Right
from dashboard.models.catalogue import Artifact
from dashboard.models.workflows import Target, Workflow, WorkflowRevision


class Status(models.TextChoices):
    """Of a deployment."""

    QUEUED = "QUEUED", "Queued"
    RUNNING = "RUNNING", "Running"
    PAUSED = "PAUSED", "Paused"
    ABORTING = "ABORTING", "Aborting"
    SUCCEEDED = "SUCCEEDED", "Succeeded"
    FAILED = "FAILED", "Failed"
    ABORTED = "ABORTED", "Aborted"


HOLDING = (Status.RUNNING, Status.PAUSED, Status.ABORTING)
ACTIVE = (Status.QUEUED, *HOLDING)
FINISHED = (Status.SUCCEEDED, Status.FAILED, Status.ABORTED)


class StepStatus(models.TextChoices):
    """Of a step, and by derivation of a phase."""

    QUEUED = "QUEUED", "Queued"
    RUNNING = "RUNNING", "Running"
    SUCCEEDED = "SUCCEEDED", "Succeeded"
    FAILED = "FAILED", "Failed"
    IGNORED = "IGNORED", "Failed, ignored"
    SKIPPED = "SKIPPED", "Skipped"
    ABORTED = "ABORTED", "Aborted"


class Direction(models.TextChoices):
    FORWARD = "FORWARD", "Deploy"
    BACK = "BACK", "Rollback"


class DeploymentQuerySet(models.QuerySet["Deployment"]):
    def visible_to(self, actor: User) -> Self:
        """The deployments into environments whose deployments the actor may see."""
        return self.filter(
            target__infrastructure__environment__in=policy.environment_ids(
                actor, Right.VIEW_DEPLOYMENTS
            )
        )

    def with_names(self) -> Self:
        """With everything a row of a list shows, in the same query."""
        return self.select_related(
            "target__service__application",
            "target__infrastructure__environment",
            "workflow",
            "artifact",
            "started_by",
            "rolls_back__artifact",
        )


class Deployment(models.Model):
    """One execution of a workflow on a target. A rollback is one whose `rolls_back` is set."""

    target = models.ForeignKey(Target, on_delete=models.CASCADE, related_name="deployments")
    workflow = models.ForeignKey(Workflow, on_delete=models.PROTECT, related_name="deployments")
    revision = models.ForeignKey(WorkflowRevision, on_delete=models.PROTECT, related_name="+")
    artifact = models.ForeignKey(
        Artifact,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="What runs once this has succeeded; none where a manifest hard-codes it.",
    )
    variables = models.JSONField(default=dict, blank=True)
    infrastructure_settings = models.JSONField(
        default=dict, blank=True, help_text="The infrastructure's settings when it was started."
    )
    rolls_back = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="rollbacks"
    )
    replaces = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="What was the target's current deployment when this one began.",
    )
    before = models.JSONField(
        null=True, blank=True, help_text="What was observed on the target before it began."
    )
    after = models.JSONField(
        null=True, blank=True, help_text="What was observed on the target when it ended."
    )

    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    code = models.CharField(
        max_length=40, blank=True, help_text="Why the status is what it is, for machines."
    )
    message = models.TextField(blank=True, help_text="Why the status is what it is, for people.")
    started_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    resumed_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    note = models.CharField(max_length=500, blank=True, help_text="The reason the person gave.")
    freeze_override = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    decision_due_at = models.DateTimeField(
        null=True, editable=False, help_text="When a step's failure is no longer left to a person."
    )

    log_pruned_at = models.DateTimeField(null=True, editable=False)
    journal_pruned_at = models.DateTimeField(
        null=True, editable=False, help_text="When phases, steps and events were deleted for age."
    )

    # The lease: who works on it, until when; the epoch grows with each claim and fences the rest.
    lease_owner = models.CharField(max_length=80, blank=True, editable=False)
    lease_epoch = models.PositiveIntegerField(default=0, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    version = models.PositiveIntegerField(
        default=1, editable=False, help_text="Grows with everything a page shows of it."
    )

    objects = DeploymentQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["target"],
                condition=models.Q(status__in=HOLDING),
                name="one_execution_holds_a_target",
            ),
            models.UniqueConstraint(
                fields=["rolls_back"],
                condition=models.Q(status__in=(*ACTIVE, Status.SUCCEEDED)),
                name="one_rollback_of_a_deployment",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["target", "-id"], name="deployment_of_target"),
            models.Index(
                fields=["lease_until"],
                condition=models.Q(status__in=ACTIVE),
                name="deployment_active",
            ),
            models.Index(
                fields=["workflow", "target", "-id"],
                condition=models.Q(status=Status.SUCCEEDED),
                name="deployment_succeeded",
            ),
            models.Index(fields=["status", "code"], name="deployment_outcome"),
        ]

    def __str__(self) -> str:
        kind = "Rollback" if self.is_rollback else "Deployment"
        return f"{kind} {self.pk}"

    @property
    def is_rollback(self) -> bool:
        return self.rolls_back_id is not None

    @property
    def responsible(self) -> User:
        """On whose behalf it runs: who resumed it last, or else who started it."""
        return self.resumed_by or self.started_by

    @property
    def is_finished(self) -> bool:
        return self.status in FINISHED

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE


class Phase(models.Model):
    """One phase of an execution, forwards or back, with the instances it is about."""

    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="phases")
    position = models.PositiveIntegerField()
    name = models.CharField(max_length=80)
    direction = models.CharField(max_length=8, choices=Direction.choices)
    undoes = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")
    is_undoable = models.BooleanField(
        default=True, help_text="Not so for pre- and post-deployment steps."
    )
    instances = models.JSONField(
        null=True, help_text="Keys of the instances it deployed or undoes; null: not recorded."
    )
    newcomers = models.JSONField(
        default=list,
        db_default=models.Value([], models.JSONField()),
        help_text="Those of its instances that came after the deployment it undoes.",
    )

    class Meta:
        ordering = ("position",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["deployment", "position"], name="phase_position")
        ]

    def __str__(self) -> str:
        return f"{self.get_direction_display()}: {self.name}"


class Step(models.Model):
    """One step: what was to be done, what was found before, what was done, with what outcome."""

    phase = models.ForeignKey(Phase, on_delete=models.CASCADE, related_name="steps")
    position = models.PositiveIntegerField()
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=40)
    settings = models.JSONField(default=dict)
    timeout = models.FloatField(default=600, help_text="Seconds, for one attempt at the step.")
    failure_strategy = models.JSONField(
        null=True, help_text="See rollbacks.strategies; null: the execution ends."
    )
    undoes = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="The step whose capture this one returns to; none: it applies its own work.",
    )
    status = models.CharField(max_length=10, choices=StepStatus.choices, default=StepStatus.QUEUED)
    message = models.TextField(blank=True)
    captured = models.JSONField(
        null=True, help_text="What was there before anything was touched; null: not captured."
    )
    outcomes = models.JSONField(
        default=dict, help_text="Per instance: state, message; see platforms.base.InstanceOutcome."
    )
    attempts = models.PositiveIntegerField(default=0)
    retries = models.PositiveIntegerField(default=0)
    decision = models.CharField(
        max_length=20, blank=True, help_text="What follows its failure, once that is decided."
    )
    done_in = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        help_text="The step of an earlier rollback that did it; not done again.",
    )
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("position",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["phase", "position"], name="step_position")
        ]

    def __str__(self) -> str:
        return self.name


class LogLine(models.Model):
    """One line a step or a host said."""

    step = models.ForeignKey(Step, on_delete=models.CASCADE, related_name="log")
    instance = models.CharField(max_length=120, blank=True)
    at = models.DateTimeField()
    text = models.TextField()

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return self.text


class Event(models.Model):
    """One change of a deployment's status: when, by whom or which worker, why."""

    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField()
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    status = models.CharField(max_length=10, choices=Status.choices)
    code = models.CharField(max_length=40, blank=True)
    message = models.TextField(blank=True)
    epoch = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.status} {self.code}"
