"""What a cluster's answers mean, and what it means that there is none. Pure."""

from collections.abc import Mapping
from typing import Any

import httpx

from rollbacks.platforms.base import PlatformError
from rollbacks.platforms.kubernetes.kinds import Object

CONFLICT, GONE = 409, 410
_PASSING = (408, 429)  # some proxy, or the cluster itself, has too much to do
# An applied manifest with a field that does not exist or has another type: the server says 500.
_UNTYPED = "failed to create typed patch object"


class Conflict(PlatformError):
    """Somebody changed the object since we read it: read again, and look what is missing."""


class Forbidden(PlatformError):
    """The connector's account has no right to do this."""

    def __init__(self, message: str) -> None:
        super().__init__(message, permanent=True)


class Owned(PlatformError):
    """Another manager has set a field that we would set; the message names both."""

    def __init__(self, message: str, managers: list[str]) -> None:
        super().__init__(message, permanent=True)
        self.managers = managers


def unanswered(error: httpx.HTTPError) -> PlatformError:
    text = str(error) or type(error).__name__
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return PlatformError(f"the cluster's certificate is not trusted: {text}", permanent=True)
    if isinstance(error, httpx.TimeoutException):
        return PlatformError(f"the cluster did not answer in time ({type(error).__name__})")
    return PlatformError(f"the cluster did not answer ({text})")


def require_success(response: httpx.Response) -> None:
    """Raise what the answer means, with the cluster's own words."""
    if response.is_success:
        return
    code, status = response.status_code, read(response) or {}
    message = str(status.get("message") or f"HTTP {code}").rstrip(".")
    if code == httpx.codes.FORBIDDEN:
        raise Forbidden(f"the cluster refuses: {message}")
    if code == CONFLICT:
        raise _conflict(message, status.get("details") or {})
    if code == GONE:
        raise Conflict(message)
    is_ill = code >= httpx.codes.INTERNAL_SERVER_ERROR and not message.startswith(_UNTYPED)
    if code in _PASSING or is_ill:
        raise PlatformError(f"the cluster is busy or ill (HTTP {code}): {message}")
    raise PlatformError(f"the cluster refuses: {message}", permanent=True)


def read(response: httpx.Response) -> Object | None:
    """The JSON object in the answer; None where there is none."""
    try:
        found = response.json()
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _conflict(message: str, details: Mapping[str, Any]) -> PlatformError:
    causes = [
        each for each in details.get("causes") or () if each.get("reason") == "FieldManagerConflict"
    ]
    if not causes:
        return Conflict(message)
    said = "; ".join(f"{each.get('field')}: {each.get('message')}" for each in causes)
    managers = [str(each.get("message", "")).partition('"')[2].partition('"')[0] for each in causes]
    return Owned(
        f"{said}. Somebody else has set this: let them give it up, or set take_ownership", managers
    )
