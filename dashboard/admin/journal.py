"""What the engine wrote, to look at: deployments, phases, targets, instances."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from accounts.admin.base import Operation, PolicyAdmin, asker
from accounts.needs import VIEW_DEPLOYMENTS, Need
from dashboard.models import Deployment, Event, Instance, Phase, Step, Target


class JournalAdmin(PolicyAdmin):
    """Shows what the engine wrote; nobody else may write it."""

    needs = VIEW_DEPLOYMENTS
    operations: ClassVar = {Operation.VIEW: VIEW_DEPLOYMENTS}
    path_to_target = ""
    """From its model to the target whose environment says who may see it."""

    def is_met(self, request: HttpRequest, need: Need, obj: Any) -> bool:
        """Of one object too: only what is visible is found."""
        return need == VIEW_DEPLOYMENTS

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        targets = Target.objects.visible_to(asker(request)).order_by()
        return (
            super()
            .get_queryset(request)
            .filter(**{f"{self.path_to_target}__in": targets.values("pk")})
        )


class ReadOnlyInline(admin.TabularInline):  # type: ignore[type-arg]
    """Rows of what the engine wrote."""

    extra = 0
    can_delete = False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whoever may see what they belong to."""
        return True

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return self.fields

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Target)
class TargetAdmin(JournalAdmin):
    path_to_target = "pk"
    list_display = ("service", "infrastructure", "current_deployment", "synced_at", "sync_error")
    list_select_related = (
        "service__application",
        "infrastructure__environment__application",
        "current_deployment",
    )
    search_fields = ("service__name", "infrastructure__name")


@admin.register(Instance)
class InstanceAdmin(JournalAdmin):
    path_to_target = "target"
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
class DeploymentAdmin(JournalAdmin):
    """A deployment with its journal; each phase links to its steps."""

    path_to_target = "target"
    inlines: ClassVar = [PhaseInline, EventInline]
    readonly_fields = ("log_pruned_at", "journal_pruned_at")
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
class PhaseAdmin(JournalAdmin):
    """Reached from its deployment only."""

    path_to_target = "deployment__target"
    inlines: ClassVar = [StepInline]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False
