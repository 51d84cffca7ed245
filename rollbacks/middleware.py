"""Turns a refusal that no view caught into a page that says why and what to do."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from accounts import audit
from accounts.models import User
from accounts.policy import Denied
from rollbacks import views
from rollbacks.eligibility import Refused


class RefusalMiddleware:
    """Every view may let Denied and Refused through."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, Denied | Refused) and isinstance(request.user, User):
            audit.record_refusal(request.user, f"{request.method} {request.path}", None, error)
        return views.refused(request, error)
