"""The part of the schema that is about the API itself."""

import strawberry
from django.conf import settings

from accounts.api import field
from accounts.needs import SIGNED_IN


@strawberry.type
class ApiLimits:
    """What one request may hold, and how many a minute may bring."""

    calls_per_minute: int
    depth: int
    aliases: int
    nodes: int
    tokens: int
    body_bytes: int


@strawberry.type
class Query:
    @field(SIGNED_IN)
    def api_limits(self) -> ApiLimits:
        """What one request may hold, and how many a minute you have. Lastgood's own."""
        return ApiLimits(
            calls_per_minute=settings.API_CALLS_PER_MINUTE,
            depth=settings.API_DEPTH,
            aliases=settings.API_ALIASES,
            nodes=settings.API_NODES,
            tokens=settings.API_TOKENS,
            body_bytes=settings.API_BODY_BYTES,
        )
