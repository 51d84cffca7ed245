"""Filters of the lists of groups and people."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import EnvironmentGrant, UserGroup
from accounts.vocabulary import ASKED_FOR, AccountPermission, Right


class MayInGroup(admin.SimpleListFilter):
    """Groups with one of the account permissions that open something here."""

    title = "account permission"
    parameter_name = "account"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [(each.value, each.label) for each in AccountPermission if each in ASKED_FOR]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset
        # JSON containment is not portable to SQLite.
        lists = UserGroup.objects.values_list("pk", "account_permissions")
        return queryset.filter(pk__in=[pk for pk, held in lists if self.value() in held])


class RollsBackProduction(admin.SimpleListFilter):
    """Groups that may roll back in at least one production environment."""

    title = "rolls back production"
    parameter_name = "production"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [("yes", "Yes"), ("no", "No")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        grants = EnvironmentGrant.objects.filter(
            permission__codename=Right.ROLLBACK_WORKFLOW.value,
            content_object__environment_type="PRODUCTION",
        )
        if self.value() == "yes":
            return queryset.filter(pk__in=grants.values("group"))
        if self.value() == "no":
            return queryset.exclude(pk__in=grants.values("group"))
        return queryset


class InUserGroup(admin.SimpleListFilter):
    """People in one of the user groups."""

    title = "user group"
    parameter_name = "group"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return UserGroup.objects.order_by("name").values_list("pk", "name")

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset.filter(groups=value) if value and value.isdigit() else queryset
