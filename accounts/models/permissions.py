"""What groups may do: the rows people edit, and the object permissions made from them.

Rows are written by `accounts.administration` alone, object permissions by `accounts.grants`.
`dashboard` is named by string only: it depends on us.
"""

from typing import ClassVar

from django.db import models
from guardian.models import GroupObjectPermissionBase

from accounts.models.people import UserGroup
from accounts.rows import Row, Scope
from accounts.vocabulary import Action, PermissionType

SCOPE_OF_FIELD = {
    "everything": Scope.EVERYTHING,
    "production": Scope.PRODUCTION,
    "non_production": Scope.NON_PRODUCTION,
    "templates": Scope.TEMPLATES,
}


class AppPermissionQuerySet(models.QuerySet["AppPermission"]):
    def with_choices(self) -> "AppPermissionQuerySet":
        """With everything `row` reads, in three more queries for any number of rows."""
        return self.prefetch_related("applications", "environments", "services")


class AppPermission(models.Model):
    """One row of a group's application permissions; a row must match on every dimension."""

    user_group = models.ForeignKey(
        UserGroup, on_delete=models.CASCADE, related_name="app_permissions"
    )
    permission_type = models.CharField(max_length=12, choices=PermissionType.choices)
    actions = models.JSONField(default=list, help_text="Values of Action.")
    all_applications = models.BooleanField(
        default=False, help_text="Every application, those created later included."
    )
    applications = models.ManyToManyField("dashboard.Application", blank=True)
    everything = models.BooleanField(
        default=False, help_text="All there is of the type in these applications, now and later."
    )
    production = models.BooleanField("production environments", default=False)
    non_production = models.BooleanField("non-production environments", default=False)
    templates = models.BooleanField("workflow templates", default=False)
    environments = models.ManyToManyField("dashboard.Environment", blank=True)
    services = models.ManyToManyField("dashboard.Service", blank=True)

    objects = AppPermissionQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.user_group}: {self.get_permission_type_display()} {self.actions}"

    @property
    def row(self) -> Row:
        """What it says, as a plain value."""
        chosen = frozenset(each.pk for each in self.applications.all())
        return Row(
            PermissionType(self.permission_type),
            frozenset(Action(action) for action in self.actions),
            None if self.all_applications else chosen,
            frozenset(scope for name, scope in SCOPE_OF_FIELD.items() if getattr(self, name)),
            frozenset(each.pk for each in self.environments.all()),
            frozenset(each.pk for each in self.services.all()),
        )


class EnvironmentGrant(GroupObjectPermissionBase):
    """What a group may do in one environment; made from its rows, never edited."""

    content_object = models.ForeignKey("dashboard.Environment", on_delete=models.CASCADE)

    class Meta(GroupObjectPermissionBase.Meta):
        abstract = False
        indexes: ClassVar = [models.Index(fields=["group", "permission", "content_object"])]


class ApplicationGrant(GroupObjectPermissionBase):
    """That a group may see one application; made from its rows, never edited."""

    content_object = models.ForeignKey("dashboard.Application", on_delete=models.CASCADE)

    class Meta(GroupObjectPermissionBase.Meta):
        abstract = False
