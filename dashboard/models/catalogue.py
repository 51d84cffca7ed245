"""What can be deployed and where: declared by people, read by everything else."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Self

from django.core.validators import RegexValidator
from django.db import models, transaction

from accounts import audit, grants, policy
from accounts.models import User
from accounts.vocabulary import Right

NAME = RegexValidator(
    r"\A[A-Za-z0-9][A-Za-z0-9 ._-]*\Z",
    "Start with a letter or digit; then letters, digits, spaces, dots, dashes and underscores.",
)
VERSION = RegexValidator(
    r"\A[A-Za-z0-9][A-Za-z0-9._+-]*\Z",
    "Start with a letter or digit; then letters, digits, dots, dashes, underscores and plus signs.",
)


class DeploymentType(models.TextChoices):
    """The platform a service is deployed to."""

    SSH = "SSH", "SSH"
    WINRM = "WINRM", "WinRM"
    KUBERNETES = "KUBERNETES", "Kubernetes"
    ECS = "ECS", "ECS"
    AMI = "AMI", "AMI/ASG"
    PCF = "PCF", "Cloud Foundry"


class ArtifactType(models.TextChoices):
    """What a version of a service is; NONE is a manifest that hard-codes its image."""

    ZIP = "ZIP", "ZIP"
    TAR = "TAR", "TAR"
    DOCKER_IMAGE = "DOCKER_IMAGE", "Docker image"
    AMI = "AMI", "AMI"
    NONE = "NONE", "None (hard-coded in manifests)"


class EnvironmentType(models.TextChoices):
    PRODUCTION = "PRODUCTION", "Production"
    NON_PRODUCTION = "NON_PRODUCTION", "Non-production"


class ApplicationQuerySet(models.QuerySet["Application"]):
    def visible_to(self, actor: User) -> Self:
        """The applications the actor may see."""
        return self.filter(pk__in=policy.application_ids(actor))


class Application(models.Model):
    """Owns services, environments and workflows; the unit permissions are filtered by."""

    name = models.CharField(max_length=80, unique=True, validators=[NAME])
    description = models.CharField(max_length=200, blank=True)

    objects = ApplicationQuerySet.as_manager()

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, and let the groups that cover every application see this one at once."""
        with transaction.atomic():
            audit.lock()
            super().save(*args, **kwargs)
            grants.follow(self, application=self)


@contextmanager
def _deleting_from(applications: Iterable[Application]) -> Iterator[None]:
    """What is deleted inside may have been all for which a group saw its application."""
    with transaction.atomic():
        audit.lock()
        left = list(applications)
        yield
        for application in left:
            grants.follow(application, application=application)


class ServiceQuerySet(models.QuerySet["Service"]):
    def visible_to(self, actor: User) -> Self:
        """The services of the applications the actor may see."""
        return self.filter(application__in=policy.application_ids(actor))

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete, and let nobody go on seeing an application for one of these."""
        with _deleting_from(Application.objects.filter(services__in=self).distinct()):
            return super().delete()


class Service(models.Model):
    """Something that is deployed: one platform, one type of artifact."""

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="services")
    name = models.CharField(max_length=80, validators=[NAME])
    description = models.CharField(max_length=200, blank=True)
    deployment_type = models.CharField(max_length=12, choices=DeploymentType.choices)
    artifact_type = models.CharField(max_length=14, choices=ArtifactType.choices)

    objects = ServiceQuerySet.as_manager()

    class Meta:
        ordering = ("application__name", "name")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["application", "name"], name="service_name")
        ]

    def __str__(self) -> str:
        return f"{self.application.name} / {self.name}"

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete, and let nobody go on seeing the application for it."""
        with _deleting_from([self.application]):
            return super().delete(*args, **kwargs)


class EnvironmentQuerySet(models.QuerySet["Environment"]):
    def visible_to(self, actor: User) -> Self:
        """The environments whose deployments the actor may see."""
        return self.filter(pk__in=policy.environment_ids(actor, Right.VIEW_DEPLOYMENTS))

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete, and let nobody go on seeing an application for one of these."""
        with _deleting_from(Application.objects.filter(environments__in=self).distinct()):
            return super().delete()


class Environment(models.Model):
    """Where an application runs: production or not, which is what permissions ask."""

    application = models.ForeignKey(
        Application, on_delete=models.CASCADE, related_name="environments"
    )
    name = models.CharField(max_length=80, validators=[NAME])
    environment_type = models.CharField(max_length=14, choices=EnvironmentType.choices)

    objects = EnvironmentQuerySet.as_manager()

    class Meta:
        ordering = ("application__name", "environment_type", "name")
        permissions: ClassVar = list(Right.choices)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["application", "name"], name="environment_name")
        ]

    def __str__(self) -> str:
        return f"{self.application.name} / {self.name}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, and let a new or retyped environment change who may what in it at once."""
        with transaction.atomic():
            audit.lock()
            super().save(*args, **kwargs)
            grants.follow(self, environment=self)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete, and let nobody go on seeing the application for it."""
        with _deleting_from([self.application]):
            return super().delete(*args, **kwargs)

    @property
    def is_production(self) -> bool:
        return self.environment_type == EnvironmentType.PRODUCTION


class Connector(models.Model):
    """How to reach a platform: an address and a *reference* to a credential, never a credential."""

    name = models.CharField(max_length=80, unique=True, validators=[NAME])
    deployment_type = models.CharField(max_length=12, choices=DeploymentType.choices)
    settings = models.JSONField(default=dict, blank=True)
    credential = models.CharField(
        max_length=200,
        blank=True,
        help_text="Where the worker finds the secret: file:/absolute/path or env:NAME.",
    )

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Infrastructure(models.Model):
    """Where inside an environment a service lands (the field: infrastructure definition)."""

    environment = models.ForeignKey(
        Environment, on_delete=models.CASCADE, related_name="infrastructures"
    )
    name = models.CharField(max_length=80, validators=[NAME])
    connector = models.ForeignKey(Connector, on_delete=models.PROTECT)
    settings = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ("environment", "name")
        verbose_name = "infrastructure definition"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["environment", "name"], name="infrastructure_name")
        ]

    def __str__(self) -> str:
        return f"{self.environment} / {self.name}"


class Artifact(models.Model):
    """An immutable version of a service."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="artifacts")
    version = models.CharField(max_length=80, validators=[VERSION])
    location = models.CharField(
        max_length=500, help_text="An absolute path on the worker, an https:// URL, or an image."
    )
    checksum = models.CharField(
        max_length=80, blank=True, help_text="sha256: and 64 hexadecimal digits."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-created_at", "-pk")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["service", "version"], name="artifact_version")
        ]

    def __str__(self) -> str:
        return self.version
