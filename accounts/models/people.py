"""Users, user groups and API keys: everybody who can ask for something."""

import base64
import secrets
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, Group
from django.contrib.auth.models import UserManager as DjangoUserManager
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.crypto import salted_hmac
from guardian.mixins import GuardianUserMixin

from accounts.rows import Permissions
from accounts.vocabulary import AccountPermission


class PeopleManager(DjangoUserManager["User"]):
    """Without the users that stand for API keys."""

    def get_queryset(self) -> models.QuerySet["User"]:
        return super().get_queryset().filter(api_key__isnull=True)


class User(AbstractUser, GuardianUserMixin):
    """A person, or the one an API key acts as. What they may do comes from their user groups."""

    session_epoch = models.PositiveIntegerField(
        default=0, editable=False, help_text="Grows when all sessions of the user are ended."
    )

    objects: ClassVar[DjangoUserManager["User"]] = DjangoUserManager()  # type: ignore[assignment]
    people: ClassVar[PeopleManager] = PeopleManager()

    @property
    def label(self) -> str:
        """The name people know them by."""
        return self.get_full_name() or self.username

    def _get_session_auth_hash(self, secret: Any = None) -> str:
        """Django's, with the epoch: a session made before it grew is not one of this user."""
        value = f"{self.password}\n{self.session_epoch}"
        return salted_hmac("accounts.session", value, secret=secret, algorithm="sha256").hexdigest()


def group_id() -> str:
    """16 random bytes as 22 characters of base64url, the shape of the field's group ids."""
    return base64.urlsafe_b64encode(secrets.token_bytes(16)).rstrip(b"=").decode()


class UserGroupQuerySet(models.QuerySet["UserGroup"]):
    def with_choices(self) -> "UserGroupQuerySet":
        """With everything `permissions_held` reads, in four more queries for any number."""
        choices = ("applications", "environments", "services")
        return self.prefetch_related(*(f"app_permissions__{each}" for each in choices))


class UserGroup(Group):
    """A Django group with account permissions and application permissions."""

    public_id = models.CharField(max_length=22, unique=True, default=group_id, editable=False)
    description = models.CharField(max_length=200, blank=True)
    account_permissions = models.JSONField(default=list, blank=True)

    objects: ClassVar = UserGroupQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = "user group"

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        unknown = set(self.account_permissions) - set(AccountPermission.values)
        if unknown:
            raise ValidationError({"account_permissions": f"Not a permission: {sorted(unknown)}."})

    @property
    def permissions_held(self) -> Permissions:
        """What it may do; load several groups `with_choices`."""
        account = frozenset(AccountPermission(each) for each in self.account_permissions)
        return Permissions(account, tuple(each.row for each in self.app_permissions.all()))


class ApiKey(models.Model):
    """Lets a program in with the rights of its user groups. The secret itself is not kept."""

    name = models.CharField(max_length=80, unique=True)
    user = models.OneToOneField(
        User,
        on_delete=models.PROTECT,
        related_name="api_key",
        editable=False,
        help_text="Who it acts as: member of the key's groups, and unable to sign in.",
    )
    prefix = models.CharField(max_length=12, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False, help_text="SHA-256 of the secret.")
    created_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ("name",)
        verbose_name = "API key"

    def __str__(self) -> str:
        return self.name
