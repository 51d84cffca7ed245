"""The hosts that an Auto Scaling group was last seen to have."""

from django.db import models

from dashboard.models.catalogue import Infrastructure


class Roster(models.Model):
    """Of one infrastructure definition. A group that cannot be asked leaves it as it is."""

    infrastructure = models.OneToOneField(
        Infrastructure, on_delete=models.CASCADE, related_name="roster"
    )
    source = models.JSONField(
        default=dict, help_text="The auto_scaling_group of the settings it was looked up by."
    )
    members = models.JSONField(
        default=list, help_text="Each {name, address, in_service}, in the order of their launch."
    )
    seen_at = models.DateTimeField(null=True, help_text="Null: it was never answered.")
    error = models.CharField(
        max_length=500, blank=True, help_text="What went wrong when it was asked last."
    )

    def __str__(self) -> str:
        return f"hosts of {self.infrastructure}"
