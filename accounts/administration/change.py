"""What every change of who may do what goes through: the right to make it, and its limits."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import transaction
from django.db.models import Model, Q

from accounts import audit, grants, policy, wording
from accounts.models import User, UserGroup
from accounts.policy import Denied
from accounts.rows import NOTHING, Excess, Permissions
from accounts.vocabulary import AccountPermission, Verb

MANAGE = AccountPermission.MANAGE_USERS_AND_GROUPS


class Invalid(Exception):
    """What was asked for makes no sense; `problems` are (field, sentence).

    A field of a row is named `rows.0.actions`, counted as they were given.
    """

    def __init__(self, *problems: tuple[str, str]) -> None:
        super().__init__(" ".join(sentence for _, sentence in problems))
        self.problems = problems


class LastAdministrator(Exception):
    """The change would leave nobody who can administer user groups."""

    def __init__(self) -> None:
        super().__init__(
            f"Nobody would be left who holds {MANAGE.label}. "
            "Give it to another active person first, then do this again."
        )


@contextmanager
def change(by: User | None, verb: Verb, subject: Model, needs: AccountPermission) -> Iterator[None]:
    """One change in one transaction; a refusal of it is recorded after that is rolled back."""
    if by is None:
        with transaction.atomic(), _keeping_an_administrator():
            yield
        return
    with (
        audit.attempt(by, verb.label, subject, Denied, LastAdministrator),
        transaction.atomic(),
        _keeping_an_administrator(),
    ):
        # What the actor was when the request began may be over by now.
        by.refresh_from_db(fields=["is_active", "is_superuser"])
        policy.require_account(by, needs)
        yield


@contextmanager
def _keeping_an_administrator() -> Iterator[None]:
    """Changes of permissions one after the other; none may end with nobody to administer."""
    audit.lock()
    had = _is_administered()
    yield
    if had and not _is_administered():
        raise LastAdministrator


def _is_administered() -> bool:
    """Whether somebody who can sign in (no API key) holds Manage Users and Groups."""
    groups = [
        pk
        for pk, held in UserGroup.objects.values_list("pk", "account_permissions")
        if MANAGE.value in held
    ]
    people = User.people.filter(is_active=True).exclude(
        password__startswith=UNUSABLE_PASSWORD_PREFIX
    )
    return people.filter(Q(is_superuser=True) | Q(groups__in=groups)).exists()


def require_held(by: User | None, given: Permissions, kept: Permissions = NOTHING) -> None:
    """Raise Denied where `given` has anything that is neither in `kept` nor held by the actor."""
    if by is None:
        return
    held = policy.held_by(by) + kept
    catalogue = grants.catalogue_of([*given.rows, *held.rows])
    if excess := given.beyond(held, catalogue):
        raise Denied(f"Nobody gives what they do not hold, and you do not hold {_named(excess)}.")


def _named(excess: Excess) -> str:
    words = wording.account_labels(excess.account)
    actions = {(atom.action, atom.permission_type) for atom in excess.atoms}
    words += sorted(f"{action.label} on all of these {kind.label}" for action, kind in actions)
    return ", ".join(words)


def stored_group(group: UserGroup) -> UserGroup:
    """The group as it is stored now."""
    return UserGroup.objects.with_choices().get(pk=group.pk)
