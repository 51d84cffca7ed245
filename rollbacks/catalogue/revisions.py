"""The only place that makes revisions of a workflow; they are never changed afterwards."""

from typing import Any

from django.db import transaction

from accounts.models import User
from dashboard.models import Workflow, WorkflowRevision
from rollbacks.definition import DefinitionError, parse
from rollbacks.platforms.base import PlatformError


def checked_definition(
    document: object, deployment_type: str, workflow_type: str
) -> dict[str, Any]:
    """The definition as it is stored, defaults filled in. Raises DefinitionError."""
    try:
        definition = parse(document, deployment_type, workflow_type)
    except PlatformError as error:
        raise DefinitionError([("", str(error))]) from None
    return definition.model_dump(mode="json")


def save_definition(workflow: Workflow, document: object, actor: User | None) -> WorkflowRevision:
    """Make the document the workflow's definition: a new revision, or the current one if it says
    the same. Raises DefinitionError, and then nothing was written."""
    definition = checked_definition(
        document, workflow.service.deployment_type, workflow.workflow_type
    )
    with transaction.atomic():
        # The lock makes two editors take turns, so that revision numbers stay without a gap.
        locked = Workflow.objects.select_for_update().get(pk=workflow.pk)
        current = locked.current_revision
        if current is None or current.definition != definition:
            current = WorkflowRevision.objects.create(
                workflow=locked,
                number=1 + (current.number if current else 0),
                definition=definition,
                created_by=actor,
            )
            Workflow.objects.filter(pk=locked.pk).update(current_revision=current)
        workflow.current_revision = current
    return current
