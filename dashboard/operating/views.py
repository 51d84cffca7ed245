"""Probes and metrics: for machines, without a session, before anything else is asked.

`ProbeMiddleware` serves them, so that neither a wrong host name nor a missing HTTPS nor a database
that is away keeps them from answering.
"""

from ipaddress import ip_address

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from accounts.needs import ANYONE, Need, needs
from dashboard.operating.health import Check, checks
from dashboard.operating.metrics import Metrics

METRICS = Need("METRICS", detail="The metrics token; without one, this machine itself.")
FORWARDING = ("forwarded", "via", "x-forwarded-for", "x-forwarded-proto", "x-real-ip")
CLOSED = (
    "Send LASTGOOD_METRICS_TOKEN as a Bearer token. "
    "Where none is set, only this machine itself is answered, and never through a proxy.\n"
)


@needs(ANYONE)
@login_not_required
@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """This process lives; nothing else is asked."""
    return JsonResponse({"alive": True})


@needs(ANYONE)
@login_not_required
@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 where work would be done; 503 with what is wrong and what to do."""
    found = checks(timezone.now())
    is_ready = all(check.is_met for check in found)
    told = {check.name: _told(check) for check in found}
    return JsonResponse({"ready": is_ready, "checks": told}, status=200 if is_ready else 503)


def _told(check: Check) -> dict[str, object]:
    why = {} if check.is_met else {"problem": check.problem, "remedy": check.remedy}
    return {"ok": check.is_met, **why}


@needs(METRICS)
@login_not_required
@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """For Prometheus."""
    if not _may_see_metrics(request):
        return HttpResponse(
            CLOSED, status=401, content_type="text/plain", headers={"WWW-Authenticate": "Bearer"}
        )
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Metrics(timezone.now()))
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _may_see_metrics(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and constant_time_compare(token, settings.METRICS_TOKEN)
    return _is_this_machine(request)


def _is_this_machine(request: HttpRequest) -> bool:
    """Strangers behind a proxy on this machine come from loopback too, so a proxy ends it."""
    if settings.BEHIND_HTTPS or any(name in request.headers for name in FORWARDING):
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
