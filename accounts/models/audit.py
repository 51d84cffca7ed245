"""The audit trail: rows that are only ever added, each sealed to the one before it."""

from typing import Any, ClassVar, NoReturn

from django.db import models

from accounts.models.people import User
from accounts.vocabulary import Verb


class AuditEvent(models.Model):
    """Who did what to what, from where, when; before and after. Written by `accounts.audit`."""

    number = models.PositiveBigIntegerField(unique=True, help_text="1, 2, 3… without a gap.")
    at = models.DateTimeField()
    actor = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="None: whoever could run commands on the server.",
    )
    actor_name = models.CharField(max_length=200)
    origin = models.CharField(max_length=120, help_text="From where: an address, or the command.")
    verb = models.CharField(max_length=24, choices=Verb.choices)
    subject_type = models.CharField(max_length=40, blank=True)
    subject_id = models.CharField(max_length=40, blank=True)
    subject = models.CharField(max_length=300, blank=True, help_text="Its name at that time.")
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    message = models.TextField(blank=True)
    seal = models.CharField(max_length=64, help_text="Over this row and the seal before it.")

    class Meta:
        ordering = ("-number",)
        indexes: ClassVar = [
            models.Index(fields=["subject_type", "subject_id"]),
            models.Index(fields=["verb", "-number"]),
            models.Index(fields=["actor", "-number"]),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.get_verb_display()} {self.subject}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save a new row; an existing one cannot be changed."""
        if self.pk:
            raise TypeError("The audit trail is only ever added to.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("The audit trail is only ever added to.")


class AuditHead(models.Model):
    """The end of the trail, one row: locked while permissions change or an event is added."""

    number = models.PositiveBigIntegerField(default=0)
    seal = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return str(self.number)
