"""API keys: what they look like, and whom one lets in.

A key is `lgk_<prefix>_<secret>`. The prefix finds the row; of the secret only the SHA-256 is kept,
which is enough for 32 random bytes.
"""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils.crypto import constant_time_compare

from accounts.models import ApiKey, User

KIND = "lgk"
USE_IS_NOTED_EVERY = timedelta(minutes=1)


class BadKey(Exception):
    """The key lets nobody in; the message says no more than that."""

    def __init__(self) -> None:
        super().__init__("This API key is unknown, revoked or expired. Ask for a new one.")


def draft(
    name: str, created_by: User | None, now: datetime, expires_at: datetime | None
) -> tuple[ApiKey, str]:
    """A key that is not saved yet with the user it acts as, and its text."""
    prefix, secret = secrets.token_hex(6), secrets.token_hex(32)
    user = User(username=f"key:{prefix}", first_name="API key", last_name=name[:60])
    user.set_unusable_password()
    key = ApiKey(
        name=name,
        user=user,
        prefix=prefix,
        digest=_digest(secret),
        created_by=created_by,
        created_at=now,
        expires_at=expires_at,
    )
    return key, f"{KIND}_{prefix}_{secret}"


def holder(text: str, now: datetime) -> User:
    """The user the key acts as, its use noted. Raises BadKey."""
    kind, _, rest = text.strip().partition("_")
    prefix, _, secret = rest.partition("_")
    usable = ApiKey.objects.filter(
        Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None, user__is_active=True
    )
    key = usable.select_related("user").filter(prefix=prefix).first()
    # Compared also where there is no such key, so that the answer takes the same time.
    fits = constant_time_compare(_digest(secret), key.digest if key else _digest(""))
    if kind != KIND or key is None or not fits:
        raise BadKey
    if key.last_used_at is None or now - key.last_used_at >= USE_IS_NOTED_EVERY:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
    return key.user


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
