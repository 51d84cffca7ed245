"""The audit trail in the admin: to search, not to edit."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.admin.base import Operation, PolicyAdmin
from accounts.models import AuditEvent
from accounts.needs import VIEW_AUDITS
from accounts.trail import entry


class AuditEventAdmin(PolicyAdmin):
    needs = VIEW_AUDITS
    operations: ClassVar = {Operation.VIEW: VIEW_AUDITS}
    list_display = ("number", "at", "actor_name", "verb", "subject", "origin", "message")
    list_filter = ("verb", "at")
    search_fields = ("actor_name", "subject", "message", "origin")
    show_full_result_count = False
    fields = (
        "number", "at", "actor_name", "origin", "verb", "subject_type", "subject", "difference",
        "message",
    )  # fmt: skip

    @admin.display(description="What changed")
    def difference(self, event: AuditEvent) -> SafeString:
        found = entry(event)
        removed = format_html_join("", "<del>{}</del><br>", ((each,) for each in found.removed))
        added = format_html_join("", "<ins>{}</ins><br>", ((each,) for each in found.added))
        return format_html("{}{}", removed, added)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        """An event has none: it is never changed."""
        return self.changeform_view(request, object_id)
