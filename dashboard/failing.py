"""What is answered where something failed that nobody caught: 503 where only the database is away.

The traceback is in the log by then; whoever asked is told what it means for them.
"""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.defaults import server_error

from dashboard.graphql.errors import UNAVAILABLE

RETRY_AFTER_SECONDS = 5


def failed(request: HttpRequest) -> HttpResponse:
    """urls.handler500: called while the exception is being handled."""
    if not isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        return server_error(request)
    if request.path == reverse("graphql"):
        answer: HttpResponse = JsonResponse({"errors": [UNAVAILABLE]}, status=503)
    else:
        # Without the request: what the page would say of it has to be asked of the database.
        answer = render(None, "503.html", status=503)
    answer["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return answer
