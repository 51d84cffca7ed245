"""Times as the field's API writes them: milliseconds since 1970 (reference 4.1)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import strawberry
from strawberry.exceptions import StrawberryInputCoercionError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
NO_TIME = "A time is a whole number of milliseconds since 1970-01-01 UTC."


def _milliseconds(at: datetime) -> int:
    return int((at - EPOCH) // MILLISECOND)


def _moment(value: Any) -> datetime:
    if isinstance(value, bool) or not isinstance(value, int):
        raise StrawberryInputCoercionError(NO_TIME)
    try:
        return EPOCH + timedelta(milliseconds=value)
    except OverflowError:
        raise StrawberryInputCoercionError(NO_TIME) from None


DATE_TIME = strawberry.scalar(
    name="DateTime",
    description="Milliseconds since 1970-01-01 UTC.",
    serialize=_milliseconds,
    parse_value=_moment,
)
