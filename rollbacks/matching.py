"""Whether what was asked to be executed goes together, and can be read."""

from dashboard.models import Artifact, Infrastructure, Workflow, WorkflowRevision
from rollbacks import eligibility, plan
from rollbacks.definition import WorkflowDefinition
from rollbacks.eligibility import Code, Refusal, Refused
from rollbacks.platforms.base import PlatformError


def executable(workflow: Workflow) -> WorkflowRevision:
    """The revision that would be executed. Raises Refused."""
    if workflow.current_revision is None or workflow.archived_at:
        raise Refused(
            Refusal(
                Code.WORKFLOW_DELETED,
                f"The workflow {workflow.name} was deleted or has no definition yet.",
                "Choose another workflow.",
            )
        )
    return workflow.current_revision


def definition(revision: WorkflowRevision) -> WorkflowDefinition:
    """As this release reads it. Raises Refused."""
    try:
        return plan.definition_of(revision)
    except PlatformError as error:
        raise Refused(eligibility.cannot_plan(error)) from None


def require_match(
    workflow: Workflow, infrastructure: Infrastructure, artifact: Artifact | None
) -> None:
    """The right was asked for where it lands, so nothing of elsewhere may land there.

    Raises Refused.
    """
    place = (
        workflow.infrastructure_id in (None, infrastructure.pk)
        and workflow.application_id == infrastructure.environment.application_id
    )
    if not place or (artifact and artifact.service_id != workflow.service_id):
        what = f"the artifact {artifact}" if place else f"the infrastructure {infrastructure.name}"
        raise Refused(
            Refusal(
                Code.CANNOT_PLAN,
                f"The workflow {workflow.name} does not go with {what}.",
                "Choose what belongs to the workflow.",
            )
        )
