"""What an account switches on for itself; everything here is off until somebody does."""

from django.db import models


class Flag(models.TextChoices):
    """By the name that the field's product has for it."""

    WINRM_ASG_ROLLBACK = (
        "WINRM_ASG_ROLLBACK",
        "WINRM_ASG_ROLLBACK: a rollback takes in the instances that came since",
    )


class FeatureFlag(models.Model):
    """Whether one of them is on; docs/platforms/auto-scaling-groups.md says what it does."""

    name = models.CharField(max_length=40, choices=Flag.choices, unique=True)
    is_on = models.BooleanField(default=False)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    @classmethod
    def is_switched_on(cls, flag: Flag) -> bool:
        return cls.objects.filter(name=flag, is_on=True).exists()
