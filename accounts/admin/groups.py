"""The page of a user group: one form for all of it, and what that means in effect."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html_join

from accounts import administration, notices, wording
from accounts.admin import effect, group_form
from accounts.admin.administered import AdministeredAdmin
from accounts.admin.base import Operation, asker
from accounts.admin.filters import MayInGroup, RollsBackProduction
from accounts.admin.powerful import of_permissions, warnings
from accounts.admin.rows import RowFormSet, RowsPanel, initial
from accounts.choices import Choices
from accounts.models import ApiKey, User, UserGroup
from accounts.needs import MANAGE_USERS_AND_GROUPS, READ_USERS_AND_GROUPS
from accounts.rows import NOTHING
from accounts.vocabulary import ASKED_FOR, AccountPermission, Right

ROWS = "rows"


class UserGroupAdmin(AdministeredAdmin):
    """Groups: what they may do, who is in them."""

    needs = READ_USERS_AND_GROUPS
    operations: ClassVar = {
        Operation.VIEW: READ_USERS_AND_GROUPS,
        Operation.ADD: MANAGE_USERS_AND_GROUPS,
        Operation.CHANGE: MANAGE_USERS_AND_GROUPS,
        Operation.DELETE: MANAGE_USERS_AND_GROUPS,
    }
    form = group_form.GroupForm
    change_form_template = "admin/user_group.html"
    change_list_template = "admin/user_groups.html"
    list_display = ("name", "description", "members", "keys", "to_look_at_twice")
    list_filter = (MayInGroup, RollsBackProduction)
    search_fields = (
        "name",
        "description",
        "user__username",
        "user__first_name",
        "user__last_name",
    )
    search_help_text = "Name, description, or somebody who is in it"
    ordering = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[UserGroup]:
        is_key = Q(user__api_key__isnull=False)
        return (
            UserGroup.objects.with_choices()
            .annotate(
                people=Count("user", filter=~is_key, distinct=True),
                programs=Count(
                    "user", filter=is_key & Q(user__api_key__revoked_at=None), distinct=True
                ),
            )
            .order_by("name")
        )

    @admin.display(description="Members", ordering="people")
    def members(self, group: Any) -> int:
        return int(group.people)

    @admin.display(description="API keys", ordering="programs")
    def keys(self, group: Any) -> int:
        return int(group.programs)

    @admin.display(description="Powerful")
    def to_look_at_twice(self, group: UserGroup) -> str:
        found = [sentence.partition(":")[0] for sentence in warnings_of_list(group)]
        return format_html_join("", "<div>{}</div>", ((each,) for each in found)) or "no"

    @admin.display(description="Account permissions")
    def account_in_words(self, group: UserGroup) -> str:
        labels = wording.account_labels(group.permissions_held.account)
        return format_html_join("", "<div>{}</div>", ((each,) for each in labels)) or "none"

    @admin.display(description="Application permissions")
    def rows_in_words(self, group: UserGroup) -> str:
        rows = group.permissions_held.rows
        names = wording.Names.of(rows)
        sentences = ((wording.sentence(row, names),) for row in rows)
        return format_html_join("", "<div>{}</div>", sentences) or "none"

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The form, or for who may only look the same in words."""
        if obj and not self.has_change_permission(request, obj):
            return [
                (None, {"fields": ("name", "description", "account_in_words", "rows_in_words")})
            ]
        kept = {
            "fields": ("kept_permissions",),
            "classes": ("collapse",),
            "description": "Kept for the API; none of them opens anything here.",
        }
        return [
            (None, {"fields": ("name", "description", "seen")}),
            ("Members", {"fields": ("members",)}),
            ("Account permissions", {"fields": ("account_permissions",)}),
            ("Other account permissions", kept),
        ]

    def _create_formsets(self, request: HttpRequest, obj: Any, change: bool) -> Any:
        """The rows, which are plain values: Django's formsets would save them themselves."""
        if change and not self.has_change_permission(request, obj):
            return [], []
        held = obj.permissions_held if obj.pk else NOTHING
        formset = RowFormSet(
            request.POST if request.method == "POST" else None,
            prefix=ROWS,
            initial=initial(held.rows),
            form_kwargs={"choices": Choices.offered(asker(request), held.rows)},
        )
        formset.refusal = getattr(request, "_refusal", None)
        return [formset], []

    def get_inline_formsets(
        self, request: HttpRequest, formsets: Any, inline_instances: Any, obj: Any = None
    ) -> Any:
        return [RowsPanel(formset) for formset in formsets]

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        group = kwargs.get("obj")
        if group:
            # As it is stored: after a refusal the object in memory has what was typed.
            context["overview"] = overview(UserGroup.objects.get(pk=group.pk))
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Together with the rows, in `save_related`."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        group = group_form.save(form, formsets[0], asker(request))
        form.instance.pk = form.instance.id = group.pk
        for sentence in warnings(UserGroup.objects.get(pk=group.pk)):
            messages.warning(request, sentence)

    def delete_model(self, request: HttpRequest, obj: UserGroup) -> None:
        administration.delete_group(obj, by=asker(request))

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        context = {"upgrade_notice": notices.unread(asker(request)), **(extra_context or {})}
        return super().changelist_view(request, context)


def warnings_of_list(group: Any) -> list[str]:
    """Without asking the database for each row of a list."""
    found = list(of_permissions(group.permissions_held))
    return found if group.people or group.programs else [*found, "Nobody is in it"]


def overview(group: UserGroup) -> dict[str, Any]:
    """What the group can do in effect, who is in it, and what to look at twice."""
    applications = effect.of_group(group)
    return {
        "applications": applications,
        "sentences": list(_sentences(group, applications)),
        "people": User.people.filter(groups=group.pk).order_by("-is_active", "username"),
        "keys": ApiKey.objects.filter(user__groups=group.pk).order_by("revoked_at", "name"),
        "powerful": warnings(group),
    }


def _sentences(group: UserGroup, applications: list[effect.InApplication]) -> Any:
    rolls_back = any(
        Right.ROLLBACK_WORKFLOW.value in environment.rights
        for application in applications
        for environment in application.environments
    )
    account = group.permissions_held.account
    if rolls_back and AccountPermission.MANAGE_APPLICATIONS not in account:
        yield (
            "Rollback Workflow needs Manage Applications too: this group does not give it, so its "
            "members can roll back only if another of their groups does."
        )
    if account - ASKED_FOR and not account & ASKED_FOR:
        yield "Its account permissions open nothing here; they are kept for the API."
