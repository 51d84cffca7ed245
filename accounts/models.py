"""Users, user groups and what a group may do.

Permission rows are what people edit; the object permissions below are made from them by
`accounts.policy` and by nobody else. `dashboard` is named by string only: it depends on us.
"""

import base64
import secrets
from typing import ClassVar

from django.contrib.auth.models import AbstractUser, Group
from django.core.exceptions import ValidationError
from django.db import models
from guardian.mixins import GuardianUserMixin
from guardian.models import GroupObjectPermissionBase

from accounts.vocabulary import ACTIONS_OF_TYPE, AccountPermission, Action, PermissionType


class User(AbstractUser, GuardianUserMixin):
    """A person. Everything they may do comes from their user groups."""

    @property
    def label(self) -> str:
        """The name people know them by."""
        return self.get_full_name() or self.username


def group_id() -> str:
    """16 random bytes as 22 characters of base64url, the shape of the field's group ids."""
    return base64.urlsafe_b64encode(secrets.token_bytes(16)).rstrip(b"=").decode()


class UserGroup(Group):
    """A Django group with account permissions and application permissions."""

    public_id = models.CharField(max_length=22, unique=True, default=group_id, editable=False)
    description = models.CharField(max_length=200, blank=True)
    account_permissions = models.JSONField(default=list, blank=True)

    objects: ClassVar[models.Manager["UserGroup"]] = models.Manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = "user group"

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        unknown = set(self.account_permissions) - set(AccountPermission.values)
        if unknown:
            raise ValidationError({"account_permissions": f"Not a permission: {sorted(unknown)}."})


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
    production = models.BooleanField("production environments", default=False)
    non_production = models.BooleanField("non-production environments", default=False)
    environments = models.ManyToManyField("dashboard.Environment", blank=True)

    def __str__(self) -> str:
        return f"{self.user_group}: {self.get_permission_type_display()} {self.actions}"

    def clean(self) -> None:
        allowed = ACTIONS_OF_TYPE.get(self.permission_type, frozenset())
        wrong = sorted(set(self.actions) - {action.value for action in allowed})
        if wrong:
            raise ValidationError(
                {"actions": f"{', '.join(wrong)}: not an action of type {self.permission_type}."}
            )

    @property
    def granted(self) -> frozenset[Action]:
        """The actions as members of the enum."""
        return frozenset(Action(action) for action in self.actions)


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
