"""The page of a person: who they are, their groups, and what that lets them do in effect."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.forms import SetPasswordMixin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone

from accounts import administration
from accounts.admin import effect
from accounts.admin.administered import AdministeredAdmin
from accounts.admin.base import Operation, asker
from accounts.admin.confirmation import Confirmation
from accounts.admin.filters import InUserGroup
from accounts.admin.refusals import Refusal, refusals
from accounts.models import ApiKey, User, UserGroup
from accounts.needs import MANAGE_USERS_AND_GROUPS, READ_USERS_AND_GROUPS

PROFILE = ("username", "first_name", "last_name", "email")


class UserForm(forms.ModelForm):  # type: ignore[type-arg]
    """Names, address and groups."""

    user_groups = forms.ModelMultipleChoiceField(
        UserGroup.objects.order_by("name"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Everything a person may do.",
    )
    # What was chosen when the page was opened, so that only what differs from it is changed.
    seen_groups = forms.ModelMultipleChoiceField(
        UserGroup.objects.all(), required=False, widget=forms.MultipleHiddenInput
    )

    class Meta:
        model = User
        fields = PROFILE

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            groups = UserGroup.objects.filter(user=self.instance)
            self.initial.update(user_groups=groups, seen_groups=groups)


class PasswordForm(SetPasswordMixin, forms.Form):  # type: ignore[type-arg]
    """A new password, twice."""

    password1, password2 = SetPasswordMixin.create_password_fields()

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean(self) -> Any:
        self.validate_passwords()
        self.validate_password_for_user(self.user)
        return super().clean()


def _deactivation(user: User) -> list[str]:
    keys = ApiKey.objects.filter(created_by=user, revoked_at=None).count()
    made = {0: "They made no API keys.", 1: "The API key they made is revoked."}
    return [
        "All their sessions end at once.",
        made.get(keys, f"The {keys} API keys they made are revoked.")
        + (" A revoked key stays revoked." if keys else ""),
        "Nothing they did is deleted, and they stay in their groups.",
    ]


def _reactivation(user: User) -> list[str]:
    groups = ", ".join(UserGroup.objects.filter(user=user).values_list("name", flat=True))
    return [
        f"They may sign in again, with what their groups give now: {groups or 'nothing'}.",
        "API keys that were revoked stay revoked.",
    ]


class UserAdmin(AdministeredAdmin):
    """People; the users that stand for API keys are not among them."""

    needs = READ_USERS_AND_GROUPS
    operations: ClassVar = {
        Operation.VIEW: READ_USERS_AND_GROUPS,
        Operation.ADD: MANAGE_USERS_AND_GROUPS,
        Operation.CHANGE: MANAGE_USERS_AND_GROUPS,
        Operation.DELETE: MANAGE_USERS_AND_GROUPS,
    }
    form = UserForm
    change_form_template = "admin/person.html"
    list_display = ("username", "label", "email", "is_active", "groups_in_words", "last_login")
    list_filter = ("is_active", InUserGroup)
    search_fields = ("username", "first_name", "last_name", "email", "groups__name")
    search_help_text = "Name, e-mail address or user group"
    ordering = ("username",)
    readonly_fields = ("active", "superuser", "last_login", "date_joined")
    confirmations = (
        Confirmation(
            "deactivate",
            "Deactivate",
            "{} is deactivated: sessions and API keys are ended.",
            _deactivation,
            lambda user, request: administration.deactivate(
                user, by=asker(request), now=timezone.now()
            ),
            is_destructive=True,
        ),
        Confirmation(
            "reactivate",
            "Reactivate",
            "{} may sign in again.",
            _reactivation,
            lambda user, request: administration.reactivate(user, by=asker(request)),
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return User.people.order_by("username").prefetch_related("groups")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        is_editable = obj is None or self.has_change_permission(request, obj)
        groups = ("user_groups", "seen_groups") if is_editable else ("groups_in_words",)
        return [
            (None, {"fields": PROFILE}),
            ("User groups", {"fields": groups}),
            *([("Access", {"fields": self.readonly_fields})] if obj else []),
        ]

    @admin.display(description="Name")
    def label(self, user: User) -> str:
        return user.label

    @admin.display(description="Active")
    def active(self, user: User) -> str:
        return "yes" if user.is_active else "no: deactivated"

    @admin.display(description="Superuser")
    def superuser(self, user: User) -> str:
        return "yes: may everything, whatever the groups say" if user.is_superuser else "no"

    @admin.display(description="User groups")
    def groups_in_words(self, user: User) -> str:
        return ", ".join(sorted(group.name for group in user.groups.all())) or "none"

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Only what differs from what the page showed: others may edit at the same time."""
        by, values = asker(request), form.cleaned_data
        if not change:
            made = administration.create_user(values, by=by)
            obj.pk = made.pk
        elif set(form.changed_data) & set(PROFILE):
            administration.update_user(obj, values, by=by)
        user, chosen, seen = (
            User.people.get(pk=obj.pk),
            values["user_groups"],
            values["seen_groups"],
        )
        with refusals("user_groups"):
            for group in set(chosen) - set(seen):
                administration.add_member(group, user, by=by)
            for group in set(seen) - set(chosen):
                administration.remove_member(group, user, by=by)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """The groups are saved already."""

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        administration.delete_user(obj, by=asker(request))

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if user := kwargs.get("obj"):
            stored = User.people.get(pk=user.pk)
            context["overview"] = {
                "user": stored,
                "groups": UserGroup.objects.filter(user=stored).order_by("name"),
                "applications": effect.of_user(stored),
                "keys": ApiKey.objects.filter(created_by=stored),
            }
        return super().render_change_form(request, context, *args, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.password_view)
        view.model_admin = self  # type: ignore[attr-defined]
        address = path("<path:object_id>/password/", view, name="accounts_user_password")
        return [address, *super().get_urls()]

    def password_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Set somebody's password, which ends their sessions."""
        user = self.get_object(request, object_id)
        if user is None:
            raise Http404
        if not self.has_change_permission(request, user):
            raise PermissionDenied
        form = PasswordForm(user, request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                with refusals():
                    password = form.cleaned_data["password1"]
                    administration.set_password(user, password, by=asker(request))
                messages.success(request, f"{user} has a new password; their sessions ended.")
                return redirect(self.address("change", user))
            except Refusal as refusal:
                form.add_error(None, str(refusal))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": user,
            "title": f"Set the password of {user}",
            "form": form,
        }
        return TemplateResponse(request, "admin/password.html", context)
