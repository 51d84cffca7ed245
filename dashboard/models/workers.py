"""What worker processes say of themselves, whose turn it is, and how much they may still ask for;
see `rollbacks.attendance` and `rollbacks.pacing`."""

from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models, transaction


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


class Bucket(models.Model):
    """A token bucket that all processes draw from, kept as the moment at which it is full again."""

    name = models.CharField(max_length=250, primary_key=True)
    full_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name

    @classmethod
    def take(cls, name: str, now: datetime, *, rate: float, burst: float) -> float:
        """Take a token, one that is yet to come if need be; the seconds until it is there.

        `rate`: tokens a second that come anew; `burst`: how many there are when it is full.
        """
        cls.objects.get_or_create(name=name, defaults={"full_at": now})
        with transaction.atomic():
            bucket = cls.objects.select_for_update().get(name=name)
            bucket.full_at = max(bucket.full_at, now) + timedelta(seconds=1 / rate)
            bucket.save(update_fields=["full_at"])
        return max(0.0, (bucket.full_at - now).total_seconds() - burst / rate)
