"""API keys: made, shown once, revoked."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminSplitDateTime
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from accounts import administration
from accounts.admin.administered import AdministeredAdmin
from accounts.admin.base import Operation, asker
from accounts.admin.confirmation import Confirmation
from accounts.admin.refusals import refusals
from accounts.models import ApiKey, UserGroup
from accounts.needs import MANAGE_API_KEYS


class KeyForm(forms.ModelForm):  # type: ignore[type-arg]
    """The groups whose rights it has, and when it ends."""

    groups = forms.ModelMultipleChoiceField(
        UserGroup.objects.order_by("name"),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        label="User groups",
        help_text="The key may do what these groups may do.",
    )
    expires_at = forms.SplitDateTimeField(
        required=False, label="Expires", widget=AdminSplitDateTime, help_text="Empty: never."
    )

    class Meta:
        model = ApiKey
        fields = ("name", "expires_at")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["groups"] = UserGroup.objects.filter(user=self.instance.user)


def _revocation(key: ApiKey) -> list[str]:
    used = f"It was last used {key.last_used_at:%Y-%m-%d %H:%M}." if key.last_used_at else ""
    return [
        "Whatever uses it is refused from now on. This cannot be taken back: make a new key.",
        used or "It was never used.",
    ]


class ApiKeyAdmin(AdministeredAdmin):
    """Never deleted: what they did names them."""

    needs = MANAGE_API_KEYS
    operations: ClassVar = {
        Operation.VIEW: MANAGE_API_KEYS,
        Operation.ADD: MANAGE_API_KEYS,
        Operation.CHANGE: MANAGE_API_KEYS,
    }
    form = KeyForm
    change_form_template = "admin/api_key.html"
    list_display = (
        "name", "prefix", "groups_in_words", "created_by", "created_at", "expires_at",
        "last_used_at", "state",
    )  # fmt: skip
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    list_select_related = ("user", "created_by")
    search_fields = ("name", "prefix", "user__groups__name")
    readonly_fields = ("prefix", "state", "created_by", "created_at", "last_used_at", "revoked_at")
    confirmations = (
        Confirmation(
            "revoke",
            "Revoke",
            "{} is revoked.",
            _revocation,
            lambda key, request: administration.revoke_key(
                key, by=asker(request), now=timezone.now()
            ),
            is_destructive=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiKey]:
        return ApiKey.objects.prefetch_related("user__groups")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A revoked key stays as it is."""
        return not (obj and obj.revoked_at) and super().has_change_permission(request, obj)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return [(None, {"fields": ("name", "groups", "expires_at")})]
        is_editable = self.has_change_permission(request, obj)
        groups = "groups" if is_editable else "groups_in_words"
        return [
            (None, {"fields": ("name", groups, "expires_at")}),
            ("Facts", {"fields": self.readonly_fields}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*self.readonly_fields, *(("name",) if obj else ()))

    @admin.display(description="User groups")
    def groups_in_words(self, key: ApiKey) -> str:
        return ", ".join(sorted(group.name for group in key.user.groups.all())) or "none"

    @admin.display(description="State")
    def state(self, key: ApiKey) -> str:
        if key.revoked_at:
            return "revoked"
        if key.expires_at and key.expires_at <= timezone.now():
            return "expired"
        return "valid"

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        groups, expires_at = form.cleaned_data["groups"], form.cleaned_data["expires_at"]
        by, now = asker(request), timezone.now()
        with refusals("groups"):
            if change:
                administration.update_key(obj, groups, expires_at=expires_at, by=by, now=now)
                return
            name = form.cleaned_data["name"]
            key, text = administration.create_key(
                name, groups, by=by, now=now, expires_at=expires_at
            )
        # Kept until the answer to this request is rendered, and nowhere else.
        obj.pk, obj.prefix, obj.text = key.pk, key.prefix, text

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """The groups are saved already."""

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        """The key's text, in the answer itself: not in an address, a message or a session."""
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"The API key {obj.name}",
            "key": obj,
        }
        return TemplateResponse(request, "admin/key_created.html", context)
