"""Refusals in the API server's own words: each is a Status object and its code."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .resources import Resource

Json = dict[str, Any]


class Refused(Exception):
    """The request had no effect; `status` says why."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        details: Json | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.headers = headers or {}
        self.status: Json = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            **({"reason": reason} if reason else {}),
            **({"details": details} if details else {}),
            "code": code,
        }


@dataclass(frozen=True)
class Cause:
    """One thing that is wrong with one field."""

    reason: str
    field: str
    message: str

    def json(self) -> Json:
        return {"reason": self.reason, "message": self.message, "field": self.field}


def missing(resource: "Resource", name: str) -> Refused:
    message = f'{resource.qualified} "{name}" not found'
    return Refused(404, "NotFound", message, _details(resource, name))


def unknown_path() -> Refused:
    message = "the server could not find the requested resource"
    return Refused(404, "NotFound", message, {})


def already_there(resource: "Resource", name: str) -> Refused:
    message = f'{resource.qualified} "{name}" already exists'
    return Refused(409, "AlreadyExists", message, _details(resource, name))


def conflict(resource: "Resource", name: str, why: str = "") -> Refused:
    why = why or (
        "the object has been modified; please apply your changes to the latest version "
        "and try again"
    )
    message = f'Operation cannot be fulfilled on {resource.qualified} "{name}": {why}'
    return Refused(409, "Conflict", message, _details(resource, name))


def apply_conflict(message: str, causes: Sequence[Json]) -> Refused:
    return Refused(409, "Conflict", message, {"causes": list(causes)})


def invalid(resource: "Resource", name: str, causes: Sequence[Cause]) -> Refused:
    listed = [f"{cause.field}: {cause.message}" for cause in causes]
    said = listed[0] if len(listed) == 1 else "[" + ", ".join(listed) + "]"
    details: Json = {"name": name} if name else {}
    details |= {"group": resource.group} if resource.group else {}
    details |= {"kind": resource.kind, "causes": [cause.json() for cause in causes]}
    message = f'{resource.qualified_kind} "{name}" is invalid: {said}'
    return Refused(422, "Invalid", message, details)


def unprocessable(message: str, code: int = 422) -> Refused:
    """A patch that does not fit the object."""
    return Refused(code, "Invalid", message)


def bad(message: str) -> Refused:
    return Refused(400, "BadRequest", message)


def forbidden(resource: "Resource", name: str, why: str, causes: Sequence[Json] = ()) -> Refused:
    named = f' "{name}"' if name else ""
    message = f"{resource.qualified}{named} is forbidden: {why}"
    details = _details(resource, name) | ({"causes": list(causes)} if causes else {})
    return Refused(403, "Forbidden", message, details)


def unauthorized() -> Refused:
    return Refused(401, "Unauthorized", "Unauthorized")


def expired(asked: int, oldest: int) -> Refused:
    return Refused(410, "Expired", f"too old resource version: {asked} ({oldest})")


def not_allowed() -> Refused:
    message = "the server does not allow this method on the requested resource"
    return Refused(405, "MethodNotAllowed", message, {})


def unsupported(known: Sequence[str]) -> Refused:
    message = (
        f"the body of the request was in an unknown format - accepted media types include: "
        f"{', '.join(known)}"
    )
    return Refused(415, "UnsupportedMediaType", message, {})


def out_of_order(code: int, retry_after: int | None = None) -> Refused:
    """What a fault answers: the server is busy or broken, and says so."""
    reason, message = {
        429: ("TooManyRequests", "Too many requests, please try again later."),
        500: ("InternalError", "Internal error occurred: etcdserver: request timed out"),
        503: ("ServiceUnavailable", "apiserver not ready"),
        504: ("Timeout", "Timeout: request did not complete within the allotted timeout"),
    }[code]
    details = {} if retry_after is None else {"retryAfterSeconds": retry_after}
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return Refused(code, reason, message, details, headers)


def _details(resource: "Resource", name: str) -> Json:
    details = {"name": name} if name else {}
    details |= {"group": resource.group} if resource.group else {}
    return details | {"kind": resource.plural}
