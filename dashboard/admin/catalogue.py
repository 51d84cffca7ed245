"""Applications, services and environments."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts import administration, audit
from accounts.admin.base import Operation, PolicyAdmin, asker
from accounts.needs import VISIBLE, Need, account
from accounts.vocabulary import AccountPermission, PermissionType
from dashboard import editing
from dashboard.admin.editable import CatalogueAdmin, KeepsPlaceForm, crud
from dashboard.models import Application, Deployment, Environment, Service

MANAGE_APPLICATIONS = account(AccountPermission.MANAGE_APPLICATIONS)


@admin.register(Application)
class ApplicationAdmin(PolicyAdmin):
    """Those the person who asks may see; Manage Applications edits them."""

    needs = VISIBLE
    operations: ClassVar = {
        Operation.VIEW: VISIBLE,
        Operation.ADD: MANAGE_APPLICATIONS,
        Operation.CHANGE: MANAGE_APPLICATIONS,
        Operation.DELETE: MANAGE_APPLICATIONS,
    }
    list_display = ("name", "description")
    search_fields = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Application]:
        return Application.objects.visible_to(asker(request))

    def is_met(self, request: HttpRequest, need: Need, obj: Any) -> bool:
        return need == VISIBLE or super().is_met(request, need, obj)


class ServiceForm(KeepsPlaceForm):
    """A service keeps its platform and type of artifact once something depends on them."""

    class Meta:
        model = Service
        fields = ("application", "name", "description", "deployment_type", "artifact_type")

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        service = self.instance
        in_use = service.pk and (
            service.workflows.filter(archived_at=None).exists()
            or Deployment.objects.filter(target__service=service).exists()
        )
        for field in {"deployment_type", "artifact_type"} & set(self.changed_data):
            if in_use:
                what = "Workflows or deployments depend on it: add a service of another name."
                self.add_error(field, what)
        return values


@admin.register(Service)
class ServiceAdmin(CatalogueAdmin):
    operations: ClassVar = crud(PermissionType.SERVICE)
    form = ServiceForm
    list_display = ("name", "application", "deployment_type", "artifact_type")
    list_filter = ("application", "deployment_type")
    list_select_related = ("application",)
    search_fields = ("name", "application__name")


class EnvironmentForm(KeepsPlaceForm):
    class Meta:
        model = Environment
        fields = ("application", "name", "environment_type")


@admin.register(Environment)
class EnvironmentAdmin(CatalogueAdmin):
    operations: ClassVar = crud(PermissionType.ENV)
    form = EnvironmentForm
    list_display = ("name", "application", "environment_type")
    list_filter = ("application", "environment_type")
    list_select_related = ("application",)
    search_fields = ("name", "application__name")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Moving it between production and non-production gives nobody what the mover lacks."""
        if change and "environment_type" in form.changed_data:
            # First of all: groups must not change between the question and the move.
            audit.lock()
            before = editing.place(Environment.objects.get(pk=obj.pk))
            administration.require_retype(obj.pk, before, editing.place(obj), by=asker(request))
        super().save_model(request, obj, form, change)
