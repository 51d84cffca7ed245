"""What worker processes say of themselves, and whose turn it is; see `rollbacks.attendance`."""

from datetime import datetime
from typing import ClassVar

from django.db import models


class WorkerSeen(models.Model):
    """One worker process: when its sweep last went round, and when it last took a hint."""

    name = models.CharField(max_length=120, primary_key=True)
    at = models.DateTimeField()
    took_hint_at = models.DateTimeField(null=True)
    counts = models.JSONField(
        default=list, help_text="What it has counted so far; see dashboard.operating.counts."
    )

    class Meta:
        ordering: ClassVar = ("name",)

    def __str__(self) -> str:
        return self.name


class Turn(models.Model):
    """Something that one process does for all, now and then."""

    name = models.CharField(max_length=40, primary_key=True)
    taken_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name

    @classmethod
    def take(cls, name: str, now: datetime, *, before: datetime) -> bool:
        """Take the turn if nobody has since `before`; of many that ask at once, one gets it."""
        if cls.objects.filter(name=name, taken_at__lte=before).update(taken_at=now):
            return True
        # The first time of all: whoever asks next finds a row.
        cls.objects.get_or_create(name=name, defaults={"taken_at": before})
        return False
