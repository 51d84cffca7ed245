"""The admin site: who may enter it, and by which door.

Nobody is staff: whoever may edit anything that the admin shows enters, with what they may.
"""

from collections.abc import Set
from functools import update_wrapper
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.forms import AdminPasswordChangeForm
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import PasswordChangeView, redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.views.decorators.http import require_POST

from accounts import administration, notices, policy
from accounts.models import User
from accounts.needs import ANYONE, Need
from accounts.needs import needs as declare
from accounts.vocabulary import AccountPermission, Action

ENTERS_WITH: frozenset[str] = frozenset(
    {
        AccountPermission.READ_USERS_AND_GROUPS,
        AccountPermission.MANAGE_USERS_AND_GROUPS,
        AccountPermission.MANAGE_API_KEYS,
        AccountPermission.VIEW_AUDITS,
        AccountPermission.MANAGE_CONNECTORS,
        AccountPermission.MANAGE_DEPLOYMENT_FREEZES,
        AccountPermission.ADMINISTER_OTHER_ACCOUNT_FUNCTIONS,
        AccountPermission.MANAGE_APPLICATIONS,
    }
)
EDITS_WITH: frozenset[str] = frozenset({Action.CREATE, Action.UPDATE, Action.DELETE})

NOTHING = "Nothing in the admin is yours to edit. Ask an administrator of your user groups."


def enters_with(words: Set[str]) -> bool:
    """Whether any of these permissions or actions has something in the admin."""
    return not words.isdisjoint(ENTERS_WITH | EDITS_WITH)


def may_enter(user: Any) -> bool:
    """Whether the admin has something for this person; never for an API key."""
    if not isinstance(user, User) or not user.is_active or hasattr(user, "api_key"):
        return False
    return enters_with(policy.words_of(user))


class OwnPasswordForm(AdminPasswordChangeForm):
    """Saved by `administration`, as everything about people."""

    def save(self, commit: bool = True) -> Any:
        password = self.cleaned_data["new_password1"]
        administration.set_password(self.user, password, by=self.user)
        return self.user


class LastgoodAdminSite(AdminSite):
    """Django's, with Lastgood's permissions and Lastgood's sign-in."""

    site_header = site_title = "Lastgood"
    index_title = "Administration"
    needs = Need("ADMIN", detail="A permission to edit or to administer something.")

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        # One thing at a time, with the page that says what else would go.
        self.disable_action("delete_selected")

    def has_permission(self, request: HttpRequest) -> bool:
        """Asked several times for a page, and answered once."""
        answer: bool | None = getattr(request, "_may_enter", None)
        if answer is None:
            answer = may_enter(request.user)
            request._may_enter = answer  # type: ignore[attr-defined]
        return answer

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Django's, which asks who may not enter to sign in; who is signed in hears no."""
        guarded = super().admin_view(view, cacheable)

        def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.user.is_authenticated and not self.has_permission(request):
                raise PermissionDenied(NOTHING)
            answer: HttpResponse = guarded(request, *args, **kwargs)
            return answer

        return update_wrapper(page, guarded)

    @declare(ANYONE)
    @login_not_required
    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Strangers sign in where everybody does; who is signed in and comes here may not enter."""
        index = reverse("admin:index")
        if self.has_permission(request):
            return redirect(index)
        if request.user.is_authenticated:
            raise PermissionDenied(NOTHING)
        return redirect_to_login(request.GET.get("next") or index)

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """One's own; recorded, and ending the other sessions."""
        page = PasswordChangeView.as_view(
            form_class=OwnPasswordForm,
            template_name="registration/password_change_form.html",
            success_url=reverse("admin:password_change_done"),
            extra_context={**self.each_context(request), **(extra_context or {})},
        )
        return page(request)

    def index(self, request: HttpRequest, extra_context: Any = None) -> TemplateResponse:
        """With what the upgrade has to say, for who may see user groups."""
        context = {"upgrade_notice": notices.unread(request.user), **(extra_context or {})}
        return super().index(request, context)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        read = self.admin_view(require_POST(self.notice_read))
        read.admin_site = self
        return [path("notice-read/", read, name="notice_read"), *super().get_urls()]

    def notice_read(self, request: HttpRequest) -> HttpResponse:
        """The person has read which groups the upgrade changed."""
        notices.mark_read(request.user)
        return redirect("admin:index")
