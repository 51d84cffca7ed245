"""What every page's header needs decided: templates receive decisions, and never ask."""

from collections.abc import Set

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts import policy
from accounts.models import User
from accounts.site import enters_with
from accounts.vocabulary import AccountPermission


class Doors:
    """Which parts of the site to lead this person to; one query, and none where nobody looks."""

    def __init__(self, words: Set[str]) -> None:
        self.admin = enters_with(words)
        self.audit = AccountPermission.VIEW_AUDITS in words


def doors(request: HttpRequest) -> dict[str, object]:
    """Context processor."""
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return {"doors": Doors(frozenset())}
    return {"doors": SimpleLazyObject(lambda: Doors(policy.words_of(user)))}
