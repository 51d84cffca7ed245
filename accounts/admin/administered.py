"""What `accounts.administration` writes: the admin only asks it to, and shows what was recorded."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from accounts.admin.base import PolicyAdmin
from accounts.admin.confirmation import Confirmation
from accounts.admin.refusals import Refusal, refusals
from accounts.models import AuditEvent
from accounts.trail import entries

ENTRIES = 50


class AdministeredAdmin(PolicyAdmin):
    """People, groups and keys; their history is the audit trail, so Django's log stays empty."""

    confirmations: tuple[Confirmation, ...] = ()
    """Pages at an object that ask once more before they act."""

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        return [
            *(
                path(
                    f"<path:object_id>/{each.name}/",
                    self._page(each),
                    name=f"{name}_{each.name}",
                )
                for each in self.confirmations
            ),
            *super().get_urls(),
        ]

    def _page(self, confirmation: Confirmation) -> Any:
        def page(request: HttpRequest, object_id: str) -> HttpResponse:
            return self.confirm(request, object_id, confirmation)

        view = self.admin_site.admin_view(page)
        view.model_admin = self  # type: ignore[attr-defined]
        return view

    def confirm(
        self, request: HttpRequest, object_id: str, confirmation: Confirmation
    ) -> HttpResponse:
        """Say what would happen; do it when it is confirmed."""
        thing = self.get_object(request, object_id)
        if thing is None:
            raise Http404
        if not self.may(request, confirmation.operation, thing):
            raise PermissionDenied
        if request.method != "POST":
            context = {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "original": thing,
                "title": f"{confirmation.button} {thing}?",
                "confirmation": confirmation,
                "sentences": confirmation.consequences(thing),
            }
            return TemplateResponse(request, "admin/confirmation.html", context)
        try:
            with refusals():
                confirmation.act(thing, request)
            messages.success(request, confirmation.done.format(thing))
        except Refusal as refusal:
            messages.error(request, str(refusal))
        return redirect(self.address("change", thing))

    def address(self, page: str, *things: Any) -> str:
        """The address of one of its pages."""
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_{page}"
        return reverse(name, args=[thing.pk for thing in things])

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Delete; if that is refused, go back and say why."""
        page = super().delete_view
        try:
            with refusals():
                return page(request, object_id, extra_context)
        except Refusal as refusal:
            thing = self.get_object(request, object_id)
            self.record_refusal(request, refusal, thing)
            messages.error(request, str(refusal))
        return redirect(self.address("change", thing))

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What the audit trail has about it, the newest first."""
        thing = self.get_object(request, object_id)
        if thing is None:
            raise Http404
        if not self.has_view_permission(request, thing):
            raise PermissionDenied
        events = AuditEvent.objects.filter(
            subject_type=str(self.opts.verbose_name), subject_id=str(thing.pk)
        )
        page = Paginator(events, ENTRIES).get_page(request.GET.get("page"))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": thing,
            "title": f"History: {thing}",
            "page": page,
            "entries": entries(page),
        }
        return TemplateResponse(request, "admin/audit_history.html", context)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Recorded in the audit trail already."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Recorded in the audit trail already."""

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Recorded in the audit trail already."""

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        return ""
