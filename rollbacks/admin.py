"""The admin of what the platforms have a word in: connectors, infrastructure, workflows, artifacts.

What a form refuses is decided by `rollbacks.catalogue`, the same as for catalogue files.
"""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html

from dashboard.admin import ReadOnlyInline
from dashboard.models import Artifact, Connector, Infrastructure, Workflow, WorkflowRevision
from rollbacks.catalogue import save_definition
from rollbacks.catalogue.changes import as_yaml
from rollbacks.catalogue.forms import ArtifactForm, ConnectorForm, InfrastructureForm, WorkflowForm


@admin.register(Connector)
class ConnectorAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    form = ConnectorForm
    list_display = ("name", "deployment_type", "credential")
    list_filter = ("deployment_type",)
    search_fields = ("name",)


@admin.register(Infrastructure)
class InfrastructureAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    form = InfrastructureForm
    list_display = ("name", "environment", "connector")
    list_filter = ("environment__application", "connector")
    list_select_related = ("environment__application", "connector")
    search_fields = ("name", "environment__name", "environment__application__name")


@admin.register(Artifact)
class ArtifactAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Immutable: added, looked at, never changed."""

    form = ArtifactForm
    list_display = ("version", "service", "location", "created_at")
    list_filter = ("service",)
    list_select_related = ("service__application",)
    search_fields = ("version", "service__name")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class RevisionInline(ReadOnlyInline):
    """Every definition the workflow had, the newest first."""

    model = WorkflowRevision
    fields = ("number", "created_at", "created_by", "document")

    @admin.display(description="Definition")
    def document(self, revision: WorkflowRevision) -> str:
        return format_html("<pre>{}</pre>", as_yaml(revision.definition))


@admin.register(Workflow)
class WorkflowAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Archived instead of deleted: deployments keep the workflow they were made by."""

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

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="Revision", ordering="current_revision__number")
    def revision(self, workflow: Workflow) -> int | None:
        return workflow.current_revision.number if workflow.current_revision else None

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save, and make a new revision by this person if the definition differs."""
        super().save_model(request, obj, form, change)
        save_definition(obj, form.cleaned_data["definition"].value, request.user)  # type: ignore[arg-type]

    @admin.action(description="Archive the chosen workflows", permissions=["change"])
    def archive(self, request: HttpRequest, workflows: QuerySet[Workflow]) -> None:
        """Take them out of use; their history stays."""
        count = workflows.filter(archived_at=None).update(archived_at=timezone.now())
        self.message_user(request, f"{count} archived. Their history stays.")
