"""Refusals in the Cloud Controller's own words: documents of errors."""

from collections.abc import Mapping, Sequence
from typing import Any

Json = dict[str, Any]


class Refused(Exception):
    """The request had no effect; `document` says why."""

    def __init__(
        self, status: int, errors: Sequence[Json], headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__("; ".join(each["detail"] for each in errors))
        self.status = status
        self.errors = list(errors)
        self.document: Json | str = {"errors": self.errors}
        self.headers = dict(headers or {})


def error(code: int, title: str, detail: str) -> Json:
    return {"code": code, "title": title, "detail": detail}


def _refused(status: int, code: int, title: str, detail: str) -> Refused:
    return Refused(status, [error(code, title, detail)])


def invalid_token() -> Refused:
    return _refused(401, 1000, "CF-InvalidAuthToken", "Invalid Auth Token")


def not_authenticated() -> Refused:
    return _refused(401, 10002, "CF-NotAuthenticated", "Authentication error")


def not_authorized() -> Refused:
    detail = "You are not authorized to perform the requested action"
    return _refused(403, 10003, "CF-NotAuthorized", detail)


def suspended() -> Refused:
    return _refused(403, 10017, "CF-OrgSuspended", "The organization is suspended")


def disabled(what: str) -> Refused:
    return _refused(403, 330002, "CF-FeatureDisabled", f"Feature Disabled: {what}")


def missing(what: str) -> Refused:
    return _refused(404, 10010, "CF-ResourceNotFound", f"{what} not found")


def unprocessable(*details: str) -> Refused:
    errors = [error(10008, "CF-UnprocessableEntity", each) for each in details]
    return Refused(422, errors)


def not_unique(detail: str) -> Refused:
    return _refused(422, 10016, "CF-UniquenessError", detail)


def bad_parameter(detail: str) -> Refused:
    said = f"The query parameter is invalid: {detail}"
    return _refused(400, 10005, "CF-BadQueryParameter", said)


def bad_request(detail: str) -> Refused:
    return _refused(400, 1004, "CF-BadRequest", f"Bad request: {detail}")


def is_staging() -> Refused:
    detail = "Only one build can be STAGING at a time per application."
    return _refused(422, 170017, "CF-StagingInProgress", detail)


def unreadable(detail: str) -> Refused:
    said = f"Request invalid due to parse error: {detail}"
    return _refused(400, 1001, "CF-MessageParseError", said)


def not_modelled(what: str) -> Refused:
    """No test may pass by a guess of what a real one would answer."""
    return _refused(501, 10000, "CF-NotModelled", f"{what} is not known to this foundation")


def too_many(retry_after: int, limit: int = 20_000) -> Refused:
    """A document all the same, but called plain text."""
    refused = _refused(429, 10013, "CF-RateLimitExceeded", "Rate Limit Exceeded")
    refused.headers = {"Retry-After": str(retry_after), "X-RateLimit-Limit": str(limit)}
    refused.headers |= {"X-RateLimit-Remaining": "0"}
    refused.headers |= {"Content-Type": "text/plain; charset=utf-8"}
    return refused


def unavailable(detail: str = "Database connection failure") -> Refused:
    return _refused(503, 10015, "CF-ServiceUnavailable", detail)


def broken() -> Refused:
    return _refused(500, 10001, "UnknownError", "An unknown error occurred.")


def bad_gateway() -> Refused:
    """What the router says that stands before the API: no document at all."""
    refused = _refused(502, 0, "", "")
    refused.document = "502 Bad Gateway: Registered endpoint failed to handle the request.\n"
    refused.headers = {"Content-Type": "text/plain; charset=utf-8"}
    refused.headers |= {"X-Cf-RouterError": "endpoint_failure"}
    return refused
