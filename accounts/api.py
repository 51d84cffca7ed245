"""What the GraphQL modules of every app share: fields that declare their need, and refusals.

A schema module writes `@field(VISIBLE)` or `@mutation(MANAGE_API_KEYS)` over its resolvers; a
field without a declaration is refused. Refusals are raised as ApiError; any other exception but
`policy.Denied` is answered as INTERNAL, without its text.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field as attribute
from datetime import datetime
from typing import Any

import strawberry
from django.conf import settings
from django.http import HttpRequest

from accounts.models import User
from accounts.needs import Need

NEED = "need"


class Allowance:
    """How many things one answer may list, however its lists are nested."""

    def __init__(self) -> None:
        self._left = settings.API_NODES

    def spend(self, count: int) -> None:
        """Raises BadUserInput once the answer lists too many."""
        self._left -= count
        if self._left < 0:
            raise BadUserInput(
                f"The answer would list more than {settings.API_NODES} things. "
                "Ask for lists within lists in requests of their own, or with a smaller limit."
            )


@dataclass(frozen=True)
class Context:
    """Who asks, and when: resolvers read the clock nowhere else."""

    request: HttpRequest
    actor: User
    now: datetime
    allowance: Allowance = attribute(default_factory=Allowance)


Info = strawberry.Info[Context, None]


def actor_of(info: Info) -> User:
    """Who asks: a person, or the user an API key acts as."""
    return info.context.actor


def now_of(info: Info) -> datetime:
    """When the request came in."""
    return info.context.now


def key_of(text: str) -> int:
    """The primary key that an id stands for; 0, which nothing has, where it cannot be one."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


@strawberry.input
class Input:
    """What the input of every mutation has."""

    client_mutation_id: str | None = strawberry.field(
        default=None, description="Answered as it was sent."
    )


@strawberry.type
class Payload:
    """What every mutation answers."""

    client_mutation_id: str | None = strawberry.field(description="As it was sent.")


Resolver = Callable[..., Any]


def field(needs: Need, *, name: str | None = None) -> Callable[[Resolver], Any]:
    """A field with a resolver, described by the resolver's docstring."""

    def declare(resolver: Resolver) -> Any:
        return strawberry.field(
            resolver, name=name, description=inspect.getdoc(resolver), metadata={NEED: needs}
        )

    return declare


def mutation(needs: Need, *, name: str | None = None) -> Callable[[Resolver], Any]:
    """A mutation. Its account permission is asked for before the resolver runs."""

    def declare(resolver: Resolver) -> Any:
        return strawberry.mutation(
            resolver, name=name, description=inspect.getdoc(resolver), metadata={NEED: needs}
        )

    return declare


class ApiError(Exception):
    """A refusal whose sentence the caller reads; `extensions` are added to the answer's."""

    code = "BAD_USER_INPUT"

    def __init__(self, message: str, **extensions: Any) -> None:
        super().__init__(message)
        self.extensions = {**extensions, "code": self.code}


class BadUserInput(ApiError):
    """What was sent cannot be acted on; the message says which part and what would do."""


class Unauthenticated(ApiError):
    """Nobody is signed in and no valid key was sent."""

    code = "UNAUTHENTICATED"


class Forbidden(ApiError):
    """The actor may see it, but not do this."""

    code = "FORBIDDEN"


class NotFound(ApiError):
    """There is no such thing, or the actor may not see it; the two answer alike."""

    code = "NOT_FOUND"


class Conflict(ApiError):
    """The state of things does not allow it now."""

    code = "CONFLICT"


class TooManyRequests(ApiError):
    """A limit on how often; `retry_after` is in seconds."""

    code = "TOO_MANY_REQUESTS"

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message, retryAfter=retry_after)
        self.retry_after = retry_after
