"""What comes before everything else: the name of each request, and probes."""

import re
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from accounts.models import User
from dashboard import logs
from dashboard.operating import counts, views

Answers = Callable[[HttpRequest], HttpResponse]
HEADER = "X-Request-ID"
_SANE = re.compile(r"[0-9A-Za-z][0-9A-Za-z._:-]{7,63}")

REFUSALS = {401, 403, 429}


class RequestMiddleware:
    """Takes the request's id from whoever stands in front, or makes one, and answers with it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get(HEADER, "")
        name = given if _SANE.fullmatch(given) else uuid.uuid4().hex
        with logs.about(request=name):
            answer = self.get_response(request)
            request.log_subject = logs.current()  # type: ignore[attr-defined]
        answer[HEADER] = name
        if answer.status_code in REFUSALS and request.path == reverse("graphql"):
            counts.CALLS_REFUSED.labels(str(answer.status_code)).inc()
        return answer

    def process_view(
        self, request: HttpRequest, view: Any, args: Sequence[Any], kwargs: dict[str, Any]
    ) -> None:
        # By now others have asked who it is, so that this costs no query.
        if isinstance(request.user, User):
            logs.add(actor=request.user.pk)


class ProbeMiddleware:
    """Answers probes before anybody asks for a session, a host name or HTTPS."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._views: dict[str, Answers] = {
            "/healthz": views.healthz,
            "/readyz": views.readyz,
            "/metrics": views.metrics,
        }

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._views.get(request.path_info, self.get_response)(request)
