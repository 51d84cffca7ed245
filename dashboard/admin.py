"""The admin of the catalogue, and a view without pens of what was deployed.

Connectors, infrastructure definitions, workflows and artifacts need the platforms' word and are
registered by `rollbacks`.
"""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from dashboard.models import (
    Application,
    Deployment,
    DeploymentFreeze,
    Environment,
    Event,
    Instance,
    Phase,
    Service,
    Step,
    Target,
)

admin.site.site_header = admin.site.site_title = "Lastgood"
admin.site.index_title = "Administration"
# One thing at a time, with the page that says what else would go.
admin.site.disable_action("delete_selected")


class KeepsPlaceForm(forms.ModelForm):  # type: ignore[type-arg]
    """What a thing belongs to is chosen once: moving it would tear it from its history."""

    place = "application"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and self.place in self.fields:
            self.fields[self.place].disabled = True


@admin.register(Application)
class ApplicationAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("name", "description")
    search_fields = ("name",)


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
class ServiceAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
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
class EnvironmentAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    form = EnvironmentForm
    list_display = ("name", "application", "environment_type")
    list_filter = ("application", "environment_type")
    list_select_related = ("application",)
    search_fields = ("name", "application__name")


class FreezeForm(forms.ModelForm):  # type: ignore[type-arg]
    """A window; refused where it could never cover what was chosen."""

    class Meta:
        model = DeploymentFreeze
        fields = ("name", "is_on", "starts_at", "ends_at", "environment_type", "environments")

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        starts, ends = values.get("starts_at"), values.get("ends_at")
        if starts and ends and ends <= starts:
            self.add_error("ends_at", "It must end later than it starts.")
        covered = values.get("environment_type")
        chosen = values.get("environments") or ()
        strange = [str(each) for each in chosen if covered and each.environment_type != covered]
        if strange:
            what = f"{', '.join(strange)}: of the other type, so it would not be covered."
            self.add_error("environments", what)
        return values


@admin.register(DeploymentFreeze)
class DeploymentFreezeAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    form = FreezeForm
    list_display = ("name", "is_on", "starts_at", "ends_at", "environment_type")
    list_filter = ("is_on",)
    filter_horizontal = ("environments",)


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Shows what the engine wrote; nobody else may write it."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ReadOnlyInline(admin.TabularInline):  # type: ignore[type-arg]
    """Rows of what the engine wrote."""

    extra = 0
    can_delete = False

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return self.fields

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Target)
class TargetAdmin(ReadOnlyAdmin):
    list_display = ("service", "infrastructure", "current_deployment", "synced_at", "sync_error")
    list_select_related = (
        "service__application",
        "infrastructure__environment__application",
        "current_deployment",
    )
    search_fields = ("service__name", "infrastructure__name")


@admin.register(Instance)
class InstanceAdmin(ReadOnlyAdmin):
    list_display = ("key", "target", "version", "artifact", "is_healthy", "seen_at")
    list_select_related = (
        "target__service__application",
        "target__infrastructure__environment__application",
        "artifact",
    )
    search_fields = ("key", "version")


class PhaseInline(ReadOnlyInline):
    model = Phase
    fields = ("position", "name", "direction", "instances")
    show_change_link = True


class EventInline(ReadOnlyInline):
    model = Event
    fields = ("at", "actor", "status", "code", "message", "epoch")


@admin.register(Deployment)
class DeploymentAdmin(ReadOnlyAdmin):
    """A deployment with its journal; each phase links to its steps."""

    inlines: ClassVar = [PhaseInline, EventInline]
    list_display = (
        "__str__",
        "target",
        "workflow",
        "artifact",
        "status",
        "started_by",
        "created_at",
    )
    list_filter = ("status",)
    list_select_related = (
        "target__service__application",
        "target__infrastructure__environment__application",
        "workflow__application",
        "artifact",
        "started_by",
    )
    show_full_result_count = False


class StepInline(ReadOnlyInline):
    model = Step
    fk_name = "phase"
    fields = ("position", "name", "kind", "status", "message", "captured", "outcomes", "attempts")


@admin.register(Phase)
class PhaseAdmin(ReadOnlyAdmin):
    """Reached from its deployment only."""

    inlines: ClassVar = [StepInline]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False
