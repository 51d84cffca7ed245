"""How often one actor may call: a sliding window in the database that all processes share."""

from datetime import datetime, timedelta
from math import ceil

from django.conf import settings
from django.db import transaction

from accounts.api import TooManyRequests
from accounts.models import User
from dashboard.models import ApiCall

WINDOW = timedelta(minutes=1)


@transaction.atomic
def admit(actor: User, now: datetime) -> None:
    """Count this call. Raises TooManyRequests where the last minute is full.

    A refused call is not counted: a program that keeps knocking is let in when its minute is over.
    """
    # Two calls at once must not both be the 30th. Without FOR NO KEY, whatever refers to the user
    # would wait; on SQLite a transaction is alone from its beginning.
    User.objects.select_for_update(no_key=True).get(pk=actor.pk)
    calls = ApiCall.objects.filter(user=actor)
    calls.filter(at__lte=now - WINDOW).delete()
    newest = list(
        calls.order_by("-at").values_list("at", flat=True)[: settings.API_CALLS_PER_MINUTE]
    )
    if len(newest) >= settings.API_CALLS_PER_MINUTE:
        raise _too_many(newest[-1] + WINDOW - now)
    ApiCall.objects.create(user=actor, at=now)


def _too_many(wait: timedelta) -> TooManyRequests:
    seconds = max(1, ceil(wait.total_seconds()))
    return TooManyRequests(
        f"This is more than {settings.API_CALLS_PER_MINUTE} calls in a minute. "
        f"Try again in {seconds} s.",
        retry_after=seconds,
    )
