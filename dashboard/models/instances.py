"""What was last seen running on a target."""

from typing import ClassVar

from django.db import models

from dashboard.models.catalogue import Artifact
from dashboard.models.deployments import Deployment
from dashboard.models.workflows import Target


class Instance(models.Model):
    """A pod, task, EC2 instance, host or app instance; gone from here once it is gone there."""

    target = models.ForeignKey(Target, on_delete=models.CASCADE, related_name="instances")
    key = models.CharField(max_length=120)
    version = models.CharField(max_length=120, blank=True, help_text="As the platform tells it.")
    identity = models.CharField(
        max_length=300, blank=True, help_text="The platform's own name of what runs."
    )
    artifact = models.ForeignKey(
        Artifact, on_delete=models.SET_NULL, null=True, related_name="instances"
    )
    deployment = models.ForeignKey(Deployment, on_delete=models.SET_NULL, null=True)
    is_healthy = models.BooleanField(null=True, help_text="Null: not known.")
    message = models.CharField(max_length=300, blank=True)
    seen_at = models.DateTimeField()

    class Meta:
        ordering = ("key",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["target", "key"], name="instance_key")
        ]

    def __str__(self) -> str:
        return self.key
