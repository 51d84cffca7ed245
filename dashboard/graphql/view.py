"""The view at /graphql: POST asks, GET in a browser shows GraphiQL; strangers get neither."""

import logging
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views import csrf as pages
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.graphql import OperationType

from accounts.api import ApiError, Context, TooManyRequests, Unauthenticated
from accounts.models import User
from accounts.needs import SIGNED_IN, needs
from dashboard.graphql import calls
from dashboard.graphql.body import Asked, Unreadable, asked_by
from dashboard.graphql.errors import INTERNAL, UNAVAILABLE, described, refused
from dashboard.graphql.schema import SCHEMA

log = logging.getLogger(__name__)
STRANGER = Unauthenticated("Sign in, or send an API key in the header x-api-key.")


@needs(SIGNED_IN)
@login_not_required  # answers 401 itself: a program cannot fill in the sign-in page
@never_cache
def graphql(request: HttpRequest) -> HttpResponse:
    """Everything the API answers, in JSON whatever happens."""
    if not isinstance(request.user, User):
        return _answer(STRANGER, 401)
    try:
        if request.method == "POST":
            return _post(request, request.user)
        return _get(request) if request.method == "GET" else _not_allowed()
    except Unreadable as error:
        return _answer(error, error.status)
    except TooManyRequests as error:
        return _too_many(error)
    except (OperationalError, InterfaceError):
        raise  # see dashboard.failing
    except Exception:
        log.exception("The GraphQL door failed")
        return JsonResponse({"errors": [INTERNAL]}, status=500)


def _post(request: HttpRequest, actor: User) -> HttpResponse:
    now = timezone.now()
    calls.admit(actor, now)
    answer = _answered(asked_by(request), Context(request, actor, now))
    codes = {each["extensions"]["code"] for each in answer.get("errors", ())}
    statuses = {"GRAPHQL_PARSE_FAILED": 400, UNAVAILABLE["extensions"]["code"]: 503}
    return JsonResponse(answer, status=max(statuses.get(code, 200) for code in ("", *codes)))


def _answered(asked: Asked, context: Context) -> dict[str, Any]:
    try:
        result = SCHEMA.execute_sync(
            asked.query,
            variable_values=asked.variables,
            context_value=context,
            operation_name=asked.operation,
            allowed_operation_types=[OperationType.QUERY, OperationType.MUTATION],
        )
    except (CannotGetOperationTypeError, InvalidOperationTypeError):
        raise Unreadable(
            "There is nothing to run. Send a query or a mutation; operationName names one of "
            "those in the document."
        ) from None
    if result.errors:
        return {"errors": [described(each) for each in result.errors], "data": result.data}
    return {"data": result.data}


def _get(request: HttpRequest) -> HttpResponse:
    wants_page = request.get_preferred_type(["application/json", "text/html"]) == "text/html"
    return _explorer(request) if wants_page and "query" not in request.GET else _not_allowed()


@ensure_csrf_cookie
def _explorer(request: HttpRequest) -> HttpResponse:
    return render(request, "graphiql.html")


def _not_allowed() -> HttpResponse:
    answer = _answer(Unreadable("Send queries and mutations by POST."), 405)
    answer["Allow"] = "GET, POST"
    return answer


def _too_many(error: TooManyRequests) -> HttpResponse:
    # Beside GraphQL's own shape, the one the field's API answers with (reference 4.1).
    outer = {"code": error.code, "status": "Error", "message": str(error)}
    answer = JsonResponse({**outer, "errors": [refused(error)]}, status=429)
    answer["Retry-After"] = str(error.retry_after)
    return answer


def _answer(error: ApiError, status: int) -> HttpResponse:
    return JsonResponse({"errors": [refused(error)]}, status=status)


class ForgedRequest(ApiError):
    """A browser's request without the site's token."""

    code = "CSRF"


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """settings.CSRF_FAILURE_VIEW: in JSON at /graphql, as a page everywhere else."""
    if request.path != reverse("graphql"):
        return pages.csrf_failure(request, reason)
    if not isinstance(request.user, User):
        return _answer(STRANGER, 401)
    return _answer(
        ForgedRequest(
            "The CSRF token is missing or old. Reload the page, or send the cookie csrftoken "
            "as the header X-CSRFToken; with an API key none is needed."
        ),
        403,
    )
