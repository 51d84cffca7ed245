"""What people look at. Loads through what the actor may see (404); changes nothing."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.models import User
from accounts.needs import VISIBLE, needs
from dashboard import queries
from dashboard.models import Deployment, Service

STOP_POLLING = 286


def _actor(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # LoginRequiredMiddleware
    return request.user


def _is_htmx(request: HttpRequest) -> bool:
    return bool(getattr(request, "htmx", False))


def _is_unchanged(request: HttpRequest, version: str) -> bool:
    """Whether the page that polls shows this version already."""
    return _is_htmx(request) and request.GET.get("version") == version


@needs(VISIBLE)
@require_safe
def services(request: HttpRequest) -> HttpResponse:
    """Every service with what runs of it in each environment."""
    actor, text = _actor(request), request.GET.get("q", "").strip()[:80]
    page = Paginator(queries.services(actor, text), queries.PAGE).get_page(request.GET.get("page"))
    rows = queries.service_rows(page.object_list, actor)
    return render(request, "services.html", {"rows": rows, "page": page, "text": text})


@needs(VISIBLE)
@require_safe
@vary_on_headers("HX-Request")
def service(request: HttpRequest, service_id: int) -> HttpResponse:
    """One service: Current Deployment Status, as a page and as the fragment it polls."""
    version = queries.panel_version(service_id, _actor(request))
    if version and _is_unchanged(request, version):
        return HttpResponse(status=204)
    visible = Service.objects.visible_to(_actor(request)).select_related("application")
    shown = get_object_or_404(visible, pk=service_id)
    context = {"service": shown, "version": version, **_panel(shown, _actor(request))}
    return render(request, "_service.html" if _is_htmx(request) else "service.html", context)


def _panel(shown: Service, actor: User) -> dict[str, object]:
    rows = queries.panel(shown, actor)
    return {
        "rows": rows,
        "is_active": any(row.active for row in rows),
        "recent": queries.recent_deployments(shown, actor),
        "may_execute": queries.may_execute(shown, actor),
    }


@needs(VISIBLE)
@require_safe
def deployments(request: HttpRequest) -> HttpResponse:
    """Every deployment and rollback, newest first."""
    actor, filters = _actor(request), queries.Filters.read(request.GET)
    context = {
        "page": queries.deployments(actor, filters),
        "filters": filters,
        **queries.filter_choices(actor),
    }
    return render(request, "deployments.html", context)


@needs(VISIBLE)
@require_safe
@vary_on_headers("HX-Request")
def deployment(request: HttpRequest, deployment_id: int) -> HttpResponse:
    """One execution with its journal, as a page and as the fragment it polls."""
    version = queries.deployment_version(deployment_id, _actor(request))
    if version and _is_unchanged(request, version):
        return HttpResponse(status=204)
    shown = get_object_or_404(queries.deployment(_actor(request)), pk=deployment_id)
    phases = queries.journal(shown)
    context = {
        "deployment": shown,
        "phases": phases,
        "unknown": queries.unknown(phases),
        "verification": queries.verification(shown),
        "version": version,
        "is_live": queries.is_live(shown),
    }
    if _is_htmx(request):
        return _fragment(request, shown, context)
    return render(request, "deployment.html", context)


def _fragment(request: HttpRequest, shown: Deployment, context: dict[str, object]) -> HttpResponse:
    status = 200 if context["is_live"] else STOP_POLLING
    answer = render(request, "_deployment.html", {**context, "is_fragment": True}, status=status)
    if request.GET.get("status") != shown.status:
        answer["HX-Trigger"] = "status-changed"  # the buttons are to be asked for again
    return answer
