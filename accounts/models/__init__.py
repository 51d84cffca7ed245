"""Who is asking and what they may do, as tables."""

from accounts.models.audit import AuditEvent, AuditHead
from accounts.models.people import ApiKey, User, UserGroup, group_id
from accounts.models.permissions import (
    SCOPE_OF_FIELD,
    ApplicationGrant,
    AppPermission,
    EnvironmentGrant,
)

__all__ = [
    "SCOPE_OF_FIELD",
    "ApiKey",
    "AppPermission",
    "ApplicationGrant",
    "AuditEvent",
    "AuditHead",
    "EnvironmentGrant",
    "User",
    "UserGroup",
    "group_id",
]
