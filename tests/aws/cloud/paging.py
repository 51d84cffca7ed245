"""Lists in pages, with a token that says where the next one begins."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import TypeVar

from .refusals import Refused

Item = TypeVar("Item")


def page(
    items: Sequence[Item], size: int, token: str | None, refused: Refused
) -> tuple[list[Item], str | None]:
    """Raises `refused` for a token that was not given by an earlier page."""
    try:
        start = int(urlsafe_b64decode(token or "MA==").decode())
    except ValueError as error:
        raise refused from error
    end = start + size
    following = urlsafe_b64encode(str(end).encode()).decode() if end < len(items) else None
    return list(items[start:end]), following
