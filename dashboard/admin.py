"""The admin of the catalogue, and a view without pens of what was deployed.

What somebody may edit is decided by the rows they hold (`dashboard.editing`). Connectors,
infrastructure definitions, workflows and artifacts need the platforms' word and are registered by
`rollbacks`.
"""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from accounts import administration, audit
from accounts.admin.base import Operation, PolicyAdmin, asker, held
from accounts.needs import VIEW_DEPLOYMENTS, VISIBLE, Need, account
from accounts.vocabulary import AccountPermission, Action, PermissionType
from dashboard import editing
from dashboard.editing import KIND, Editor, RowNeed
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
    Workflow,
)

EDITING = Need("EDITING", detail="An application permission on things of the kind.")
MANAGE_APPLICATIONS = account(AccountPermission.MANAGE_APPLICATIONS)
MANAGE_FREEZES = account(AccountPermission.MANAGE_DEPLOYMENT_FREEZES)


class CatalogueAdmin(PolicyAdmin):
    """Lists what the rows of the person who asks let them see, and saves what they let them."""

    needs = EDITING

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        looking = (Action.READ, Action.UPDATE, Action.DELETE)
        found = super().get_queryset(request)
        things = Editor.of(held(request)).things(self.model, *looking)
        return found.filter(pk__in=things.order_by().values("pk"))

    def is_met(self, request: HttpRequest, need: Need, obj: Any) -> bool:
        editor = Editor.of(held(request))
        if not isinstance(need, RowNeed):
            return super().is_met(request, need, obj)
        if obj is None or obj.pk is None:
            return editor.has_any(self.model, need.actions)
        # As it is stored: the object in memory may have been edited by the form.
        return editor.things(self.model, *need.actions).filter(pk=obj.pk).exists()

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offers only what something may be added to."""
        editor, model = Editor.of(held(request)), db_field.related_model
        if model is Application:
            kwargs["queryset"] = editor.applications(self.model, Action.CREATE)
        elif self.model is not Workflow and KIND.get(model) == KIND[self.model]:
            actions = (Action.CREATE, Action.UPDATE)
            kwargs["queryset"] = editor.things(model, *actions)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Whoever saves it must hold what it needs where it will stand. Raises Denied."""
        action = Action.UPDATE if change else Action.CREATE
        editing.editor(asker(request)).require(action, obj)
        super().save_model(request, obj, form, change)


def crud(kind: PermissionType) -> dict[Operation, Need]:
    """What the operations on things of the kind need."""
    return {
        Operation.VIEW: RowNeed.any_of(kind, Action.READ, Action.UPDATE, Action.DELETE),
        Operation.ADD: RowNeed.any_of(kind, Action.CREATE),
        Operation.CHANGE: RowNeed.any_of(kind, Action.UPDATE),
        Operation.DELETE: RowNeed.any_of(kind, Action.DELETE),
    }


class KeepsPlaceForm(forms.ModelForm):  # type: ignore[type-arg]
    """What a thing belongs to is chosen once: moving it would tear it from its history."""

    place = "application"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and self.place in self.fields:
            self.fields[self.place].disabled = True


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
class DeploymentFreezeAdmin(PolicyAdmin):
    needs = MANAGE_FREEZES
    operations: ClassVar = dict.fromkeys(Operation, MANAGE_FREEZES)
    form = FreezeForm
    list_display = ("name", "is_on", "starts_at", "ends_at", "environment_type")
    list_filter = ("is_on",)
    filter_horizontal = ("environments",)


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
