"""The admin of people: users, user groups and the rows that say what a group may do.

Saving a group makes its object permissions again in the same transaction. Django's own model
permissions are not offered: everything a person may do comes from their user groups.
"""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import FilteredSelectMultiple
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from accounts import grants
from accounts.models import AppPermission, User, UserGroup
from accounts.vocabulary import AccountPermission, Action, PermissionType

# It has neither account permissions nor rows, so nothing could be given with it.
admin.site.unregister(Group)

EVERYWHERE = frozenset({PermissionType.SERVICE})


@admin.register(User)
class UserAdmin(DjangoUserAdmin):  # type: ignore[type-arg]
    """People and the groups they are in."""

    list_display = ("username", "label", "email", "is_active", "is_staff")
    list_filter = ("is_active", "is_staff")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Access", {"fields": ("is_active", "is_staff", "groups")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "groups":
            kwargs["queryset"] = Group.objects.exclude(usergroup=None).order_by("name")
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        if field and db_field.name == "groups":
            field.label, field.help_text = "User groups", "Everything a person may do."
        return field


class UserGroupForm(forms.ModelForm):  # type: ignore[type-arg]
    """A group with its members."""

    account_permissions = forms.MultipleChoiceField(
        choices=AccountPermission.choices, required=False, widget=forms.CheckboxSelectMultiple
    )
    members = forms.ModelMultipleChoiceField(
        User.objects.order_by("username"),
        required=False,
        widget=FilteredSelectMultiple("members", is_stacked=False),
    )

    class Meta:
        model = UserGroup
        fields = ("name", "description", "account_permissions")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "members" in self.fields:
            self.fields["members"].initial = self.instance.user_set.all()

    def clean_account_permissions(self) -> list[str]:
        chosen: list[str] = self.cleaned_data["account_permissions"]
        manage = AccountPermission.MANAGE_USERS_AND_GROUPS
        view = AccountPermission.READ_USERS_AND_GROUPS
        if manage in chosen and view not in chosen:
            raise ValidationError(f"{manage.label} needs {view.label} too: choose both.")
        return sorted(chosen)


class AppPermissionForm(forms.ModelForm):  # type: ignore[type-arg]
    """One row; it must match on every dimension."""

    actions = forms.MultipleChoiceField(choices=Action.choices, widget=forms.CheckboxSelectMultiple)

    class Meta:
        model = AppPermission
        fields = (
            "permission_type",
            "actions",
            "all_applications",
            "applications",
            "production",
            "non_production",
            "environments",
        )

    def clean(self) -> dict[str, Any]:
        row: dict[str, Any] = super().clean() or self.cleaned_data
        if not (row.get("all_applications") or row.get("applications")):
            self.add_error("applications", "Choose applications, or all of them.")
        self._check_environments(row)
        return row

    def _check_environments(self, row: dict[str, Any]) -> None:
        chosen = list(row.get("environments") or ())
        is_limited = bool(row.get("production") or row.get("non_production") or chosen)
        permission_type = row.get("permission_type")
        if permission_type in EVERYWHERE and is_limited:
            what = "This type covers every environment: choose none and tick neither box."
            self.add_error("environments", what)
        elif permission_type and permission_type not in EVERYWHERE and not is_limited:
            what = "Tick production or non-production environments, or choose environments."
            self.add_error("environments", what)
        elif not row.get("all_applications"):
            owners = set(row.get("applications") or ())
            strange = [str(each) for each in chosen if each.application not in owners]
            if strange:
                what = f"{', '.join(strange)}: of an application that is not chosen above."
                self.add_error("environments", what)


class AppPermissionInline(admin.StackedInline):  # type: ignore[type-arg]
    model = AppPermission
    form = AppPermissionForm
    extra = 0
    filter_horizontal = ("applications", "environments")
    verbose_name = "application permission"


@admin.register(UserGroup)
class UserGroupAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Groups, their members, and what they may do."""

    form = UserGroupForm
    fields = ("name", "description", "account_permissions", "members")
    inlines: ClassVar = [AppPermissionInline]
    list_display = ("name", "description", "member_names")
    search_fields = ("name",)
    ordering = ("name",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("user_set")

    @admin.display(description="Members")
    def member_names(self, group: UserGroup) -> str:
        return ", ".join(sorted(user.username for user in group.user_set.all())) or "none"

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save members and rows, and make the object permissions from them at once."""
        super().save_related(request, form, formsets, change)
        form.instance.user_set.set(form.cleaned_data["members"])
        grants.materialise(group=form.instance)
