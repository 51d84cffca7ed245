"""What every page of the admin declares, and how that is asked.

Django's own model permissions are never asked: everything comes from user groups.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse

from accounts import audit, policy
from accounts.admin.refusals import Refusal, refusals, refused
from accounts.models import User
from accounts.needs import Need
from accounts.rows import Permissions
from accounts.vocabulary import Verb


class Operation(Enum):
    VIEW = "view"
    ADD = "add"
    CHANGE = "change"
    DELETE = "delete"


def asker(request: HttpRequest) -> User:
    """Who asks; the admin site lets nobody else in."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def held(request: HttpRequest) -> Permissions:
    """What the person who asks may do, read once for a page."""
    found: Permissions | None = getattr(request, "_held", None)
    if found is None:
        found = policy.held_by(asker(request))
        request._held = found  # type: ignore[attr-defined]
    return found


class PolicyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Every operation is declared; what is not declared, nobody may.

    What is refused while a form is saved is shown at the form, with nothing saved and what was
    typed still there.
    """

    needs: ClassVar[Need]
    operations: ClassVar[Mapping[Operation, Need]] = {}

    def may(self, request: HttpRequest, operation: Operation, obj: Any = None) -> bool:
        """Whether the declaration is met, of one object or (None) in general."""
        need = self.operations.get(operation)
        return need is not None and self.is_met(request, need, obj)

    def is_met(self, request: HttpRequest, need: Need, obj: Any) -> bool:
        return need.account is not None and need.account in held(request).account

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.may(request, Operation.VIEW, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.may(request, Operation.ADD)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.may(request, Operation.CHANGE, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.may(request, Operation.DELETE, obj)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return any(self.may(request, each) for each in Operation)

    def get_actions(self, request: HttpRequest) -> Any:
        """Without those that declare no permission."""
        return {
            name: action
            for name, action in super().get_actions(request).items()
            if action and getattr(action[0], "allowed_permissions", None)
        }

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Save in one transaction; if that is refused, show the form again and say why."""
        page = super().changeform_view
        try:
            with refusals():
                return page(request, object_id, form_url, extra_context)
        except Refusal as refusal:
            subject = self.get_object(request, object_id) if object_id else None
            self.record_refusal(request, refusal, subject)
            request._refusal = refusal  # type: ignore[attr-defined]
        return page(request, object_id, form_url, extra_context)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Refused before anything is looked for, as on the other pages."""
        if not self.may(request, Operation.VIEW):
            raise PermissionDenied
        return super().history_view(request, object_id, extra_context)

    def record_refusal(self, request: HttpRequest, refusal: Refusal, subject: Model | None) -> None:
        """In the audit trail: what was recorded inside was rolled back with the rest."""
        if refusal.is_denial:
            asked = f"Admin, {self.opts.verbose_name}"
            audit.record(
                Verb.REFUSED, actor=asker(request), subject=subject, message=f"{asked}: {refusal}"
            )

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Once saving was refused, a form that says so."""
        form = super().get_form(request, obj, change=change, **kwargs)
        refusal: Refusal | None = getattr(request, "_refusal", None)
        return refused(form, refusal) if refusal else form


class ReadOnlyAdmin(PolicyAdmin):
    """Shows what was written elsewhere; nobody may write it here."""

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.readonly_fields
