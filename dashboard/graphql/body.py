"""What a request asks for, or why it cannot be read."""

import json
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from accounts.api import BadUserInput

SHAPE = 'Send {"query": "…", "variables": {…}, "operationName": "…"} as application/json.'


@dataclass(frozen=True)
class Asked:
    query: str
    variables: dict[str, Any]
    operation: str | None


class Unreadable(BadUserInput):
    """The request cannot be read; `status` is the answer's."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def asked_by(request: HttpRequest) -> Asked:
    """What the body asks for. Raises Unreadable; nothing beyond the limit is read."""
    if request.content_type != "application/json":
        raise Unreadable(f"The content type is not application/json. {SHAPE}", 415)
    content = request.read(settings.API_BODY_BYTES + 1)
    if len(content) > settings.API_BODY_BYTES:
        raise Unreadable(
            f"The body has more than {settings.API_BODY_BYTES} bytes. Split the request.", 413
        )
    return _asked(_parsed(content))


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise Unreadable(f"The body is not JSON. {SHAPE}") from None


def _asked(body: Any) -> Asked:
    if isinstance(body, list):
        raise Unreadable(f"One request at a time, please: batches are not answered. {SHAPE}")
    if not isinstance(body, dict):
        raise Unreadable(f"The body is not an object. {SHAPE}")
    query, variables = body.get("query"), body.get("variables")
    operation = body.get("operationName")
    if not isinstance(query, str) or not query.strip():
        raise Unreadable(f"There is no query. {SHAPE}")
    if not isinstance(variables, dict | None) or not isinstance(operation, str | None):
        raise Unreadable(f"variables is an object, operationName a text. {SHAPE}")
    return Asked(query, variables or {}, operation or None)
