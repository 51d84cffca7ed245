"""The admin of what the platforms have a word in: connectors, infrastructure, workflows, artifacts.

What a form refuses is decided by `rollbacks.catalogue`, the same as for catalogue files.
"""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html

from accounts.admin.base import Operation, PolicyAdmin, asker, held
from accounts.needs import account
from accounts.vocabulary import AccountPermission, Action, PermissionType
from dashboard.admin import CatalogueAdmin, ReadOnlyInline, crud
from dashboard.editing import Editor
from dashboard.models import (
    Application,
    Artifact,
    Connector,
    Infrastructure,
    Service,
    Workflow,
    WorkflowRevision,
)
from rollbacks.catalogue import save_definition
from rollbacks.catalogue.changes import as_yaml
from rollbacks.catalogue.forms import ArtifactForm, ConnectorForm, InfrastructureForm, WorkflowForm

MANAGE_CONNECTORS = account(AccountPermission.MANAGE_CONNECTORS)


@admin.register(Connector)
class ConnectorAdmin(PolicyAdmin):
    needs = MANAGE_CONNECTORS
    operations: ClassVar = dict.fromkeys(Operation, MANAGE_CONNECTORS)
    form = ConnectorForm
    list_display = ("name", "deployment_type", "credential")
    list_filter = ("deployment_type",)
    search_fields = ("name",)


@admin.register(Infrastructure)
class InfrastructureAdmin(CatalogueAdmin):
    operations: ClassVar = crud(PermissionType.ENV)
    form = InfrastructureForm
    list_display = ("name", "environment", "connector")
    list_filter = ("environment__application", "connector")
    list_select_related = ("environment__application", "connector")
    search_fields = ("name", "environment__name", "environment__application__name")


@admin.register(Artifact)
class ArtifactAdmin(CatalogueAdmin):
    """Immutable: added, looked at, never changed."""

    operations: ClassVar = {
        operation: need
        for operation, need in crud(PermissionType.SERVICE).items()
        if operation != Operation.CHANGE
    }
    form = ArtifactForm
    list_display = ("version", "service", "location", "created_at")
    list_filter = ("service",)
    list_select_related = ("service__application",)
    search_fields = ("version", "service__name")


class RevisionInline(ReadOnlyInline):
    """Every definition the workflow had, the newest first."""

    model = WorkflowRevision
    fields = ("number", "created_at", "created_by", "document")

    @admin.display(description="Definition")
    def document(self, revision: WorkflowRevision) -> str:
        return format_html("<pre>{}</pre>", as_yaml(revision.definition))


@admin.register(Workflow)
class WorkflowAdmin(CatalogueAdmin):
    """Archived instead of deleted: deployments keep the workflow they were made by."""

    operations: ClassVar = {
        operation: need
        for operation, need in crud(PermissionType.WORKFLOW).items()
        if operation != Operation.DELETE
    }
    form = WorkflowForm
    fields = (
        "application",
        "name",
        "workflow_type",
        "service",
        "infrastructure",
        "definition",
        "seen_revision",
    )
    inlines: ClassVar = [RevisionInline]
    actions = ("archive",)
    list_display = ("name", "application", "workflow_type", "service", "revision", "archived_at")
    list_filter = (("archived_at", admin.EmptyFieldListFilter), "application", "workflow_type")
    list_select_related = ("application", "service__application", "current_revision")
    search_fields = ("name", "application__name")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Without the editor where nothing can be edited: the revisions below show it all."""
        if obj and not self.has_change_permission(request, obj):
            return self.fields[:-2]
        return self.fields

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_archived = bool(obj and obj.archived_at)
        return not is_archived and super().has_change_permission(request, obj)

    @admin.display(description="Revision", ordering="current_revision__number")
    def revision(self, workflow: Workflow) -> int | None:
        return workflow.current_revision.number if workflow.current_revision else None

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offers only what the person who asks sees."""
        if db_field.name == "service":
            kwargs["queryset"] = Service.objects.visible_to(asker(request))
        elif db_field.name == "infrastructure":
            seen = Application.objects.visible_to(asker(request)).order_by()
            kwargs["queryset"] = Infrastructure.objects.filter(
                environment__application__in=seen.values("pk")
            ).select_related("environment__application")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save, and make a new revision by this person if the definition differs."""
        super().save_model(request, obj, form, change)
        save_definition(obj, form.cleaned_data["definition"].value, asker(request))

    @admin.action(description="Archive the chosen workflows", permissions=["change"])
    def archive(self, request: HttpRequest, workflows: QuerySet[Workflow]) -> None:
        """Take them out of use; their history stays."""
        mine = Editor.of(held(request)).things(Workflow, Action.UPDATE).order_by()
        chosen = workflows.filter(archived_at=None, pk__in=mine.values("pk"))
        count = chosen.update(archived_at=timezone.now())
        self.message_user(request, f"{count} archived. Their history stays.")
