"""What the answers of CAPI and UAA mean, and what it means that there is none. Pure.

Source: the error documents and rate limits of the published v3 API, v3-apidocs.cloudfoundry.org.
"""

from collections.abc import Mapping
from typing import Any

import httpx

from rollbacks.platforms.base import PlatformError

SERVER_FAULT = 500
TOO_MANY = 429
_LONGEST_TEXT = 500
# Refused now, and perhaps not a moment later.
_PASSING = (
    "CF-AsyncServiceBindingOperationInProgress",
    "CF-AsyncServiceInstanceOperationInProgress",
    "CF-ConcurrencyError",
    "CF-InsufficientResources",
    "CF-ScaleDisabledDuringDeployment",
    "CF-StagingInProgress",
)


_NOTHING_HAPPENED = (httpx.codes.NOT_IMPLEMENTED, httpx.codes.SERVICE_UNAVAILABLE)


class Refused(PlatformError):
    """CAPI said no; `title` is its own word for why."""

    def __init__(self, message: str, title: str = "", *, permanent: bool = True) -> None:
        super().__init__(message, permanent=permanent)
        self.title = title


class Absent(Refused):
    """It is not there, or not for us to see."""


class Forbidden(Refused):
    """We have no right to do this."""


class Untrusted(Refused):
    """Our token is not taken: nothing has happened."""


class Limited(PlatformError):
    """Too much was asked: nothing has happened, and may be asked again after `seconds`."""

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


class Lost(PlatformError):
    """No answer to a change came: it may or may not have happened. Look before telling it again."""


def unanswered(what: str, error: httpx.HTTPError, *, is_write: bool) -> PlatformError:
    """A connection that was never made has changed nothing."""
    text = str(error) or type(error).__name__
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return PlatformError(
            f"The certificate is not trusted ({what}): {text}. Let the connector name the "
            "certificate_authority that has signed it.",
            permanent=True,
        )
    never_sent = isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout))
    if is_write and not never_sent:
        return Lost(f"No answer to {what} came: its outcome is unknown, and is looked up")
    if isinstance(error, httpx.TimeoutException):
        return PlatformError(f"No answer to {what} came in time ({type(error).__name__})")
    return PlatformError(f"No answer to {what} came ({text})")


def refusal(what: str, answer: httpx.Response, *, is_write: bool, now: float) -> PlatformError:
    """What an answer without success means. `now`: seconds since the epoch."""
    status, (title, said) = answer.status_code, _said(answer)
    if status == TOO_MANY:
        return Limited(f"Too much is asked of Cloud Foundry: {said}", _pause(answer, now))
    if status == httpx.codes.UNAUTHORIZED:
        return Untrusted(f"Cloud Foundry does not take our token: {said}", title)
    if status == httpx.codes.NOT_FOUND:
        return Absent(f"Cloud Foundry knows nothing of {what}: {said}", title)
    if status == httpx.codes.FORBIDDEN:
        return Forbidden(f"Cloud Foundry does not let us do {what}: {said}", title)
    if status >= SERVER_FAULT and is_write and status not in _NOTHING_HAPPENED:
        return Lost(f"Cloud Foundry is ill and did not say what became of {what}: {said}")
    is_ill = status >= SERVER_FAULT and status != httpx.codes.NOT_IMPLEMENTED
    is_passing = is_ill or title in _PASSING
    return Refused(f"Cloud Foundry refuses {what}: {said}", title, permanent=not is_passing)


def errors_in(document: Mapping[str, Any]) -> tuple[str, str]:
    """The title of the first error, and what all of them say."""
    found = [each for each in document.get("errors") or () if isinstance(each, dict)]
    said = "; ".join(str(each.get("detail") or each.get("title")).rstrip(".") for each in found)
    return (str(found[0].get("title", "")) if found else ""), said[:_LONGEST_TEXT]


def read(answer: httpx.Response) -> dict[str, Any]:
    """The JSON object in it; empty where there is none."""
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _said(answer: httpx.Response) -> tuple[str, str]:
    document = read(answer)
    title, said = errors_in(document)
    if not said:  # as UAA and App Autoscaler say it
        said = str(document.get("error_description") or document.get("message") or "")
    return title, f"{said[:_LONGEST_TEXT] or 'no reason given'} (HTTP {answer.status_code})"


def _pause(answer: httpx.Response, now: float) -> float:
    """Seconds until it may be asked again; 5 where nothing is said."""
    if (after := answer.headers.get("Retry-After", "")).isdecimal():
        return float(after)
    if (reset := answer.headers.get("X-RateLimit-Reset", "")).isdecimal():
        return max(1.0, float(reset) - now)
    return 5.0
