"""People: who they are, whether they may sign in, and which groups they begin in."""

from collections.abc import Collection, Mapping
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import ProtectedError

from accounts import audit, policy
from accounts.administration.api_keys import revoke
from accounts.administration.change import MANAGE, Invalid, change, require_held
from accounts.administration.groups import join
from accounts.models import ApiKey, User, UserGroup
from accounts.policy import Denied
from accounts.vocabulary import Verb

PROFILE = ("username", "first_name", "last_name", "email")


def create_user(
    profile: Mapping[str, str], *, by: User | None, password: str | None = None,
    groups: Collection[UserGroup] = (),
) -> User:  # fmt: skip
    """A new person; without a password they cannot sign in until one is set.

    Raises Denied, Invalid.
    """
    user = User(**{name: profile.get(name, "").strip() for name in PROFILE})
    with change(by, Verb.USER_CREATED, user, MANAGE):
        _check_profile(user)
        user.set_password(password)
        user.save()
        audit.record(Verb.USER_CREATED, actor=by, subject=user, after=_profile(user))
        for group in groups:
            join(group, user, by)
    return user


def update_user(user: User, profile: Mapping[str, str], *, by: User | None) -> None:
    """Name and address, of somebody who may no more than the actor. Raises Denied, Invalid."""
    with change(by, Verb.USER_CHANGED, user, MANAGE):
        stored = _stored(user)
        _require_no_more(stored, by)
        before = _profile(stored)
        for name in PROFILE:
            setattr(stored, name, profile.get(name, before[name]).strip())
        if _profile(stored) == before:
            return
        _check_profile(stored)
        stored.save(update_fields=PROFILE)
        after = _profile(stored)
        audit.record(Verb.USER_CHANGED, actor=by, subject=stored, before=before, after=after)


def set_password(user: User, password: str | None, *, by: User | None) -> None:
    """Of oneself, or of somebody who may no more than the actor; ends the user's sessions.

    Without a password the user cannot sign in. Raises Denied, Invalid.
    """
    if by is not None and by.pk == user.pk and password is not None:
        with transaction.atomic():
            _stored(user)
            _set_password(user, password, by)
        return
    with change(by, Verb.PASSWORD_CHANGED, user, MANAGE):
        _require_no_more(_stored(user), by)
        _set_password(user, password, by)


def _set_password(user: User, password: str | None, by: User | None) -> None:
    user.set_password(password)
    user.save(update_fields=["password"])
    audit.record(Verb.PASSWORD_CHANGED, actor=by, subject=user)


def deactivate(user: User, *, by: User | None, now: datetime) -> None:
    """End the user's sessions and the API keys they made. Raises Denied, LastAdministrator."""
    with change(by, Verb.USER_DEACTIVATED, user, MANAGE):
        if by is not None and user.is_superuser and not by.is_superuser:
            raise Denied("Only a superuser deactivates a superuser.")
        stored = _stored(user)
        if not stored.is_active:
            return
        stored.is_active = False
        stored.session_epoch += 1
        stored.save(update_fields=["is_active", "session_epoch"])
        audit.record(Verb.USER_DEACTIVATED, actor=by, subject=stored)
        for key in ApiKey.objects.filter(created_by=stored, revoked_at=None):
            revoke(key, by, now)
    user.is_active = False


def reactivate(user: User, *, by: User | None) -> None:
    """Let the user in again, with what their groups give now. Raises Denied."""
    with change(by, Verb.USER_REACTIVATED, user, MANAGE):
        stored = _stored(user)
        _require_no_more(stored, by)
        if stored.is_active:
            return
        stored.is_active = True
        stored.save(update_fields=["is_active"])
        audit.record(Verb.USER_REACTIVATED, actor=by, subject=stored)
    user.is_active = True


def delete_user(user: User, *, by: User | None) -> None:
    """Only who left no trace; others are deactivated. Raises Denied, LastAdministrator, Invalid."""
    with change(by, Verb.USER_DELETED, user, MANAGE):
        stored = _stored(user)
        _require_no_more(stored, by)
        audit.record(Verb.USER_DELETED, actor=by, subject=stored, before=_profile(stored))
        try:
            stored.delete()
        except ProtectedError:
            what = f"{user.label} appears in deployments or the audit trail: deactivate instead."
            raise Invalid(("id", what)) from None


def _stored(user: User) -> User:
    """The person as stored now. Raises Invalid for whom an API key acts as."""
    found = User.people.filter(pk=user.pk).first()
    if found is None:
        what = f"{user.label} is no person: what may be done with an API key is done to the key."
        raise Invalid(("id", what))
    return found


def _profile(user: User) -> dict[str, str]:
    return {name: getattr(user, name) for name in PROFILE}


def _check_profile(user: User) -> None:
    try:
        user.clean_fields(exclude={"password"})
    except ValidationError as error:
        problems = error.message_dict.items()
        raise Invalid(*((name, " ".join(sentences)) for name, sentences in problems)) from None
    if type(user).objects.filter(username=user.username).exclude(pk=user.pk).exists():
        raise Invalid(("username", f"There is a user named {user.username} already."))


def _require_no_more(user: User, by: User | None) -> None:
    """Who can become somebody else holds what that one holds."""
    if by is None or by.pk == user.pk:
        return
    if user.is_superuser and not by.is_superuser:
        raise Denied("Only a superuser changes a superuser.")
    require_held(by, policy.held_if_active(user))
