"""Who asks, from where, and whether what is asked for has said what it needs."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from accounts import audit, keys, policy
from accounts.models import User
from accounts.needs import declared

log = logging.getLogger(__name__)
Answer = Callable[[HttpRequest], HttpResponse]


class ApiKeyMiddleware:
    """`x-api-key` says who asks; without the header it is whoever signed in."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        text = request.headers.get("x-api-key")
        if text is None:
            return self.get_response(request)
        try:
            request.user = keys.holder(text, timezone.now())
        except keys.BadKey as error:
            return JsonResponse(
                {"errors": [{"message": str(error), "extensions": {"code": "UNAUTHENTICATED"}}]},
                status=401,
            )
        # A browser never sends this header by itself, so nobody can be tricked into sending it.
        request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]
        return self.get_response(request)


class OriginMiddleware:
    """What is recorded during a request says who asked and from where."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        actor = request.user if isinstance(request.user, User) else None
        with audit.coming_from(audit.Origin(_address(request), actor)):
            return self.get_response(request)


def _address(request: HttpRequest) -> str:
    """The client's; behind a proxy the last one named, which is the one the proxy itself saw."""
    forwarded = request.headers.get("x-forwarded-for", "") if settings.BEHIND_HTTPS else ""
    return forwarded.rpartition(",")[2].strip() or request.META.get("REMOTE_ADDR", "") or "unknown"


class NeedMiddleware:
    """Nothing is served that has not declared what it needs (accounts.needs)."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Sequence[Any], kwargs: dict[str, Any]
    ) -> None:
        need = declared(view)
        if need is None:
            log.error("%s is refused: its view declares no need.", request.path)
            raise PermissionDenied
        if need.account is None or not isinstance(request.user, User):
            return  # strangers are asked to sign in
        try:
            with audit.attempt(request.user, request.path, None, policy.Denied):
                policy.require_account(request.user, need.account)
        except policy.Denied as denied:
            raise PermissionDenied(str(denied)) from None
