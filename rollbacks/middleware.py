"""Turns a refusal that no view caught into a page that says why and what to do."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from accounts import audit
from accounts.models import User
from accounts.policy import Denied
from accounts.vocabulary import Verb
from rollbacks import views
from rollbacks.eligibility import Refused


class RefusalMiddleware:
    """Every view may let Denied and Refused through."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        # Who asks to change what they may not see is refused too, and that is written down.
        is_asked = request.method == "POST" and request.resolver_match is not None
        if is_asked and response.status_code == 404 and isinstance(request.user, User):
            message = f"POST {request.path}: nothing there that may be seen"
            audit.record(Verb.REFUSED, actor=request.user, message=message)
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, Denied | Refused) and isinstance(request.user, User):
            audit.record_refusal(request.user, f"{request.method} {request.path}", None, error)
        return views.refused(request, error)
