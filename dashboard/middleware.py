"""The name of each request, by which its lines are found in the log of every process."""

import re
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse

from accounts.models import User
from dashboard import logs

HEADER = "X-Request-ID"
_SANE = re.compile(r"[0-9A-Za-z][0-9A-Za-z._:-]{7,63}")


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
        return answer

    def process_view(
        self, request: HttpRequest, view: Any, args: Sequence[Any], kwargs: dict[str, Any]
    ) -> None:
        # By now others have asked who it is, so that this costs no query.
        if isinstance(request.user, User):
            logs.add(actor=request.user.pk)
