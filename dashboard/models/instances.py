"""What was last seen running on a target."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db import models

from dashboard.models.catalogue import Artifact
from dashboard.models.deployments import Deployment
from dashboard.models.workflows import Target


class Instance(models.Model):
    """A pod, task, EC2 instance, host or app instance; gone from here once it is gone there.

    Where it consists of several that come and go, such as the pods of a workload, it keeps those it
    has now as its members, and how many there are of what: so that lists count without reading all.
    """

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
    members = models.JSONField(
        null=True, help_text="Each {name, version, is_healthy, message}; null: it is one thing."
    )
    size = models.PositiveIntegerField(
        default=1, db_default=1, help_text="As how many it counts: its members, if it has any."
    )
    healthy = models.PositiveIntegerField(null=True, help_text="Of its members.")
    unhealthy = models.PositiveIntegerField(null=True, help_text="Of its members.")
    strays = models.PositiveIntegerField(
        default=0, db_default=0, help_text="Members of another version than its own."
    )

    class Meta:
        ordering = ("key",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["target", "key"], name="instance_key")
        ]

    def __str__(self) -> str:
        return self.key

    def take(self, members: Sequence[dict[str, Any]] | None) -> None:
        """Keep these members, and count them; without any it counts for itself."""
        self.members = None if members is None else list(members)
        self.size = len(members) if members else 1
        said = [each["is_healthy"] for each in members or ()]
        self.healthy = said.count(True) if said else None
        self.unhealthy = said.count(False) if said else None
        self.strays = sum(each["version"] not in ("", self.version) for each in members or ())
