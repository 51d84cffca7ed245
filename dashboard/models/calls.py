"""Calls of the API in the last minute, kept so that all processes count together."""

from django.db import models

from accounts.models import User


class ApiCall(models.Model):
    """One call that was let in; deleted by the actor's first call a minute later."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, db_index=False, related_name="+")
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["user", "at"], name="api_calls_of_user")]

    def __str__(self) -> str:
        return f"{self.user_id} at {self.at:%H:%M:%S}"
