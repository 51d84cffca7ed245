"""Deployment freezes: windows in which nothing is started."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q

from dashboard.models.catalogue import Environment, EnvironmentType


class FreezeQuerySet(models.QuerySet["DeploymentFreeze"]):
    def covering(self, environment: Environment, at: datetime) -> Self:
        """The freezes that cover the environment at that moment."""
        return (
            self.filter(is_on=True, starts_at__lte=at)
            .filter(Q(ends_at__isnull=True) | Q(ends_at__gt=at))
            .filter(Q(environment_type="") | Q(environment_type=environment.environment_type))
            .filter(Q(environments__isnull=True) | Q(environments=environment))
            .distinct()
        )


class DeploymentFreeze(models.Model):
    """Nothing may be started in the environments covered; what runs may finish or be undone."""

    name = models.CharField(max_length=80, unique=True)
    is_on = models.BooleanField(default=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True, help_text="Empty: until switched off.")
    environment_type = models.CharField(
        max_length=14, choices=EnvironmentType.choices, blank=True, help_text="Empty: both."
    )
    environments = models.ManyToManyField(
        Environment, blank=True, help_text="None chosen: every environment of the type."
    )

    objects = FreezeQuerySet.as_manager()

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
