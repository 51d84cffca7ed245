"""How a refusal is said: a sentence and a code, and nothing of what went wrong inside."""

import logging
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import InterfaceError, OperationalError
from django.http import Http404
from graphql import GraphQLError, GraphQLSyntaxError
from strawberry.exceptions import StrawberryInputCoercionError

from accounts.api import ApiError, BadUserInput, Forbidden, NotFound
from accounts.policy import Denied

log = logging.getLogger(__name__)
INTERNAL = {
    "message": "Something went wrong on the server, and it was logged. Try again; if it happens "
    "again, report it to whoever runs this site.",
    "extensions": {"code": "INTERNAL"},
}
UNAVAILABLE: dict[str, Any] = {
    "message": "The database does not answer, or takes no writes. Try again in some seconds; if "
    "you asked for a change, look first whether it was made.",
    "extensions": {"code": "UNAVAILABLE"},
}


def described(error: GraphQLError) -> dict[str, Any]:
    """The error as it is answered; what was not expected is logged here and named INTERNAL."""
    cause = _cause(error)
    said = {**error.formatted, **(_of_language(error) if cause is None else _of_cause(cause))}
    if said["extensions"] == INTERNAL["extensions"]:
        log.error("GraphQL %s failed", error.path or "request", exc_info=cause or error)
    return said


def refused(error: ApiError) -> dict[str, Any]:
    """A refusal of the request as a whole."""
    return {"message": str(error), "extensions": error.extensions}


def _cause(error: GraphQLError) -> Exception | None:
    """What was raised by our code, below what graphql-core wrapped it in; None if nothing was."""
    cause: Exception | None = error
    while isinstance(cause, GraphQLError) and not isinstance(cause, StrawberryInputCoercionError):
        cause = cause.original_error
    return None if isinstance(cause, StrawberryInputCoercionError) else cause


def _of_language(error: GraphQLError) -> dict[str, Any]:
    """The code of what graphql-core itself found wrong; its sentences say what would be right."""
    if isinstance(error, GraphQLSyntaxError):
        message = error.message.replace("Parsing aborted.", "Split it into several requests.")
        return {"message": message, "extensions": {"code": "GRAPHQL_PARSE_FAILED"}}
    if error.extensions:
        return {"extensions": error.extensions}  # validation, see limits
    if error.path is None or error.message.startswith("Argument '"):
        return {"extensions": {"code": "BAD_USER_INPUT"}}
    return INTERNAL  # a resolver returned what its type cannot hold


def _of_cause(cause: Exception) -> dict[str, Any]:
    if isinstance(cause, (Denied, PermissionDenied)):
        return refused(Forbidden(str(cause) or "You may not do this."))
    if isinstance(cause, Http404):
        return refused(NotFound("There is no such thing that you may see. Check its id."))
    if isinstance(cause, ValidationError):
        return refused(BadUserInput(" ".join(cause.messages)))
    if isinstance(cause, ApiError):
        return refused(cause)
    if isinstance(cause, (OperationalError, InterfaceError)):
        log.warning("GraphQL: the database is away: %s", cause)
        return UNAVAILABLE
    return INTERNAL
