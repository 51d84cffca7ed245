"""The API of what changes what runs: the same actions the pages call.

Loads through what the caller may see (NOT_FOUND), acts through actions (FORBIDDEN, CONFLICT).
"""

import strawberry

from accounts.api import Info, Input, Payload, actor_of, field, mutation, now_of
from accounts.needs import ABORT_WORKFLOW, EXECUTE_WORKFLOW, RESUME, ROLLBACK
from accounts.schema.refusals import wrong
from dashboard.schema.lookup import execution_of
from dashboard.schema.nodes import Execution, WorkflowExecution
from rollbacks import actions
from rollbacks.forms import RollbackForm
from rollbacks.plan import Configuration
from rollbacks.schema import starting
from rollbacks.schema.nodes import RollbackConfirmation
from rollbacks.schema.refusals import refusals
from rollbacks.strategies import FailureAction


@strawberry.input
class RollbackDeploymentInput(Input):
    execution_id: str
    fingerprint: str = strawberry.field(
        description="Of the plan that rollbackConfirmation showed: what was seen is what runs."
    )
    configuration: Configuration = Configuration.CURRENT
    notes: str | None = strawberry.field(default=None, description="The reason.")
    freeze_override: bool = strawberry.field(
        default=False, description="Roll back in spite of a deployment freeze; needs a reason."
    )


@strawberry.input
class AbortExecutionInput(Input):
    execution_id: str


@strawberry.input
class ResumeExecutionInput(Input):
    execution_id: str


@strawberry.input
class DecideExecutionInput(Input):
    execution_id: str
    action: FailureAction = strawberry.field(description="One of what the page offers.")


@strawberry.type
class RollbackDeploymentPayload(Payload):
    execution: Execution


@strawberry.type
class AbortExecutionPayload(Payload):
    execution: Execution


@strawberry.type
class ResumeExecutionPayload(Payload):
    execution: Execution


@strawberry.type
class DecideExecutionPayload(Payload):
    execution: Execution


strawberry.enum(FailureAction, description="What follows the failure of a step.")


@strawberry.type
class Query:
    @field(ROLLBACK)
    def rollback_confirmation(
        self,
        info: Info,
        execution_id: str,
        configuration: Configuration = Configuration.CURRENT,
    ) -> RollbackConfirmation | None:
        """What a rollback would do, or why it may not be done now. Lastgood's own."""
        actor = actor_of(info)
        deployment = execution_of(actor, execution_id)
        plan, found = actions.confirmation(deployment, actor, configuration, now_of(info))
        return RollbackConfirmation.of(deployment, plan, found, actor)


@strawberry.type
class Mutation:
    @mutation(ROLLBACK)
    def rollback_deployment(
        self, info: Info, input: RollbackDeploymentInput
    ) -> RollbackDeploymentPayload | None:
        """Start the rollback that rollbackConfirmation showed. Lastgood's own, not the field's."""
        actor = actor_of(info)
        deployment = execution_of(actor, input.execution_id)
        with refusals():
            rollback = actions.roll_back(deployment.pk, actor, _request(input), now_of(info))
        return RollbackDeploymentPayload(
            client_mutation_id=input.client_mutation_id, execution=_shown(info, rollback.pk)
        )

    @mutation(EXECUTE_WORKFLOW)
    def start_execution(
        self, info: Info, input: starting.StartExecutionInput
    ) -> starting.StartExecutionPayload | None:
        """Execute a workflow with a version of its service."""
        started = starting.start(input, actor_of(info), now_of(info))
        return starting.StartExecutionPayload(
            client_mutation_id=input.client_mutation_id, execution=_shown(info, started.pk)
        )

    @mutation(ABORT_WORKFLOW)
    def abort_execution(
        self, info: Info, input: AbortExecutionInput
    ) -> AbortExecutionPayload | None:
        """Stop it; no rollback step runs and nothing is cleaned up. Lastgood's own."""
        actor = actor_of(info)
        deployment = execution_of(actor, input.execution_id)
        with refusals():
            actions.abort(deployment, actor, now_of(info))
        return AbortExecutionPayload(
            client_mutation_id=input.client_mutation_id, execution=_shown(info, deployment.pk)
        )

    @mutation(RESUME)
    def resume_execution(
        self, info: Info, input: ResumeExecutionInput
    ) -> ResumeExecutionPayload | None:
        """Let a paused execution look again and go on; the field resumes pipelines instead."""
        actor = actor_of(info)
        deployment = execution_of(actor, input.execution_id)
        with refusals():
            actions.resume(deployment, actor, now_of(info))
        return ResumeExecutionPayload(
            client_mutation_id=input.client_mutation_id, execution=_shown(info, deployment.pk)
        )

    @mutation(RESUME)
    def decide_execution(
        self, info: Info, input: DecideExecutionInput
    ) -> DecideExecutionPayload | None:
        """Say what follows a failed step that waits for a decision. Lastgood's own."""
        actor = actor_of(info)
        deployment = execution_of(actor, input.execution_id)
        with refusals():
            actions.decide(deployment, input.action, actor, now_of(info))
        return DecideExecutionPayload(
            client_mutation_id=input.client_mutation_id, execution=_shown(info, deployment.pk)
        )


_NAMES = {"note": "notes", "freeze_override": "freezeOverride"}


def _request(sent: RollbackDeploymentInput) -> actions.RollbackRequest:
    """Checked by the form that the dialog has. Raises BadUserInput."""
    form = RollbackForm(
        {
            "fingerprint": sent.fingerprint,
            "configuration": sent.configuration.value,
            "note": sent.notes or "",
            "freeze_override": sent.freeze_override,
        }
    )
    if not form.is_valid():
        raise wrong(
            [
                (("input", _NAMES.get(name, name)), " ".join(map(str, sentences)))
                for name, sentences in form.errors.items()
            ]
        )
    given = form.cleaned_data
    return actions.RollbackRequest(
        seen=given["fingerprint"],
        configuration=given["configuration"],
        note=given["note"],
        freeze_override=given["freeze_override"],
    )


def _shown(info: Info, deployment_id: int) -> WorkflowExecution:
    """As it is now."""
    return WorkflowExecution.of(execution_of(actor_of(info), str(deployment_id)))
