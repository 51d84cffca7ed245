"""API keys: a program's way in, with the rights of some user groups."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from accounts import audit, keys
from accounts.administration.change import Invalid, change, require_held, stored_group
from accounts.models import ApiKey, User, UserGroup
from accounts.vocabulary import AccountPermission, Verb


def create_key(
    name: str, groups: Collection[UserGroup], *, by: User | None, now: datetime,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:  # fmt: skip
    """A key with the rights of these groups, and its text, which is not kept.

    Raises Denied, Invalid.
    """
    key, text = keys.draft(name.strip(), by, now, expires_at)
    with change(by, Verb.KEY_CREATED, key, AccountPermission.MANAGE_API_KEYS):
        _check_key(key, groups, now)
        for group in groups:
            require_held(by, stored_group(group).permissions_held)
        key.user.save()
        key.user_id = key.user.pk
        key.save()
        key.user.groups.set(groups)
        after = _key_data(key)
        audit.record(Verb.KEY_CREATED, actor=by, subject=key, after=after)
    return key, text


def update_key(
    key: ApiKey, groups: Collection[UserGroup], *, expires_at: datetime | None, by: User | None,
    now: datetime,
) -> None:  # fmt: skip
    """Its groups and its end.

    Who lets it live longer gives all of its rights anew, so must hold them. Raises Denied, Invalid.
    """
    with change(by, Verb.KEY_CHANGED, key, AccountPermission.MANAGE_API_KEYS):
        stored = ApiKey.objects.select_related("user").get(pk=key.pk)
        before, is_longer = _key_data(stored), _is_later(expires_at, stored.expires_at)
        stored.expires_at = expires_at
        _check_key(stored, groups, now)
        had = set(stored.user.groups.values_list("pk", flat=True))
        for group in groups:
            if is_longer or group.pk not in had:
                require_held(by, stored_group(group).permissions_held)
        stored.save(update_fields=["expires_at"])
        stored.user.groups.set(groups)
        if (after := _key_data(stored)) != before:
            audit.record(Verb.KEY_CHANGED, actor=by, subject=stored, before=before, after=after)


def revoke_key(key: ApiKey, *, by: User | None, now: datetime) -> None:
    """Stop its access at once, for good, and that of keys made with it. Raises Denied."""
    with change(by, Verb.KEY_REVOKED, key, AccountPermission.MANAGE_API_KEYS):
        revoke(ApiKey.objects.select_related("user").get(pk=key.pk), by, now)


def revoke(key: ApiKey, by: User | None, now: datetime) -> None:
    """Revoke it inside another change."""
    if key.revoked_at:
        return
    key.revoked_at = now
    key.save(update_fields=["revoked_at"])
    # What it started goes on asking for its rights, and must not find them.
    key.user.is_active = False
    key.user.save(update_fields=["is_active"])
    audit.record(Verb.KEY_REVOKED, actor=by, subject=key, before=_key_data(key))
    for made in ApiKey.objects.select_related("user").filter(created_by=key.user):
        revoke(made, by, now)


def _is_later(end: datetime | None, other: datetime | None) -> bool:
    return other is not None and (end is None or end > other)


def _check_key(key: ApiKey, groups: Collection[UserGroup], now: datetime) -> None:
    problems = []
    if not key.name or len(key.name) > 80:
        problems.append(("name", "Give the key a name of at most 80 characters."))
    elif ApiKey.objects.filter(name=key.name).exclude(pk=key.pk).exists():
        problems.append(("name", f"There is an API key named {key.name} already."))
    if not groups:
        problems.append(("groups", "Choose at least one user group: the key has its rights."))
    if key.expires_at and key.expires_at <= now:
        problems.append(("expires_at", "Choose a time to come."))
    if key.revoked_at:
        problems.append(("name", "The key was revoked; create another one."))
    if problems:
        raise Invalid(*problems)


def _key_data(key: ApiKey) -> dict[str, Any]:
    return {
        "groups": sorted(key.user.groups.values_list("name", flat=True)),
        "expires_at": key.expires_at.isoformat() if key.expires_at else None,
    }
