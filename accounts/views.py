"""The audit trail for those who may read it; changes nothing."""

from django.core.handlers.asgi import ASGIRequest
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts import audit as audit_trail
from accounts import export, trail
from accounts.needs import VIEW_AUDITS, needs
from accounts.vocabulary import Verb

SHOWN_FAULTS = 20


@needs(VIEW_AUDITS)
@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    """Who did what, the newest first."""
    filters = trail.Filters.read(request.GET)
    context = {
        "page": trail.page(filters),
        "filters": filters,
        "verbs": Verb.choices,
        "subjects": trail.subjects(),
    }
    return render(request, "accounts/audit.html", context)


@needs(VIEW_AUDITS)
@require_safe
def audit_export(request: HttpRequest, kind: str) -> StreamingHttpResponse:
    """The rows that match the filters, as a file."""
    if kind not in export.FORMATS:
        raise Http404
    write, content_type = export.FORMATS[kind]
    parts = write(trail.Filters.read(request.GET).found())
    name = f"lastgood-audit-{timezone.localdate().isoformat()}.{kind}"
    return StreamingHttpResponse(
        export.without_blocking(parts) if isinstance(request, ASGIRequest) else parts,
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@needs(VIEW_AUDITS)
@require_POST
def audit_verify(request: HttpRequest) -> HttpResponse:
    """Look at every seal, now."""
    faults = list(audit_trail.faults())
    context = {
        "faults": faults[:SHOWN_FAULTS],
        "more": max(0, len(faults) - SHOWN_FAULTS),
        "end": audit_trail.end(),
    }
    return render(request, "accounts/verified.html", context)
