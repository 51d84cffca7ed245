"""Executing a workflow, in the words of the field's startExecution (reference 4.3)."""

from datetime import datetime
from enum import Enum

import strawberry

from accounts.api import Input, Payload, key_of
from accounts.models import User
from accounts.schema.refusals import Problem, wrong
from dashboard.models import Artifact, ArtifactType, Deployment, Infrastructure, Workflow
from dashboard.schema import lookup
from dashboard.schema.nodes import Execution
from rollbacks import actions
from rollbacks.definition import DefinitionError
from rollbacks.forms import NOTE_LENGTH
from rollbacks.schema.refusals import refusals


@strawberry.enum
class ExecutionType(Enum):
    WORKFLOW = "WORKFLOW"
    PIPELINE = strawberry.enum_value("PIPELINE", description="There are none in Lastgood.")


@strawberry.enum
class ArtifactValueType(Enum):
    BUILD_NUMBER = "BUILD_NUMBER"


@strawberry.enum
class VariableValueType(Enum):
    NAME = "NAME"


@strawberry.input
class BuildNumberInput:
    build_number: str = strawberry.field(description="The artifact's version.")
    artifact_source_name: str | None = strawberry.field(
        default=None, description="The field's; here a service has one source, so it is ignored."
    )


@strawberry.input
class ArtifactValueInput:
    value_type: ArtifactValueType
    build_number: BuildNumberInput


@strawberry.input
class ServiceInput:
    name: str
    artifact_value_input: ArtifactValueInput


@strawberry.input
class VariableValue:
    type: VariableValueType
    value: str


@strawberry.input
class VariableInput:
    name: str
    variable_value: VariableValue


@strawberry.input
class StartExecutionInput(Input):
    application_id: str
    entity_id: str = strawberry.field(description="The workflow's id.")
    execution_type: ExecutionType
    notes: str | None = None
    service_inputs: list[ServiceInput] | None = None
    variable_inputs: list[VariableInput] | None = None
    infrastructure_definition_id: str | None = strawberry.field(
        default=None, description="For a workflow that leaves it open. Lastgood's own."
    )


@strawberry.type
class StartExecutionPayload(Payload):
    execution: Execution


def start(sent: StartExecutionInput, actor: User, now: datetime) -> Deployment:
    """Start it. Raises Denied, NotFound, BadUserInput with everything wrong, Conflict."""
    workflow = _workflow(sent, actor)
    infrastructure = _infrastructure(sent, workflow, actor)
    artifact = _artifact(sent, workflow)
    variables = {each.name: each.variable_value.value for each in sent.variable_inputs or ()}
    try:
        with refusals():
            return actions.execute(
                workflow, infrastructure, artifact, variables, actor, now, note=sent.notes or ""
            )
    except DefinitionError as error:
        path = ("input", "variableInputs")
        problems: list[Problem] = [(path, f"{name} {what}.") for name, what in error.problems]
        raise wrong(problems) from error


def _workflow(sent: StartExecutionInput, actor: User) -> Workflow:
    problems: list[Problem] = []
    if sent.execution_type == ExecutionType.PIPELINE:
        problems.append((("input", "executionType"), "There are no pipelines. Send WORKFLOW."))
    if len(sent.notes or "") > NOTE_LENGTH:
        what = f"The reason has more than {NOTE_LENGTH} characters."
        problems.append((("input", "notes"), what))
    if problems:
        raise wrong(problems)
    of_application = lookup.workflows(actor).filter(application=key_of(sent.application_id))
    return lookup.only(of_application.filter(pk=key_of(sent.entity_id)), "workflow")


def _infrastructure(sent: StartExecutionInput, workflow: Workflow, actor: User) -> Infrastructure:
    """Where it goes to; one that the actor does not see is not found."""
    chosen = key_of(sent.infrastructure_definition_id or "")
    if workflow.infrastructure_id is None and not chosen:
        what = f"The workflow {workflow.name} leaves it open: choose one."
        raise wrong([(("input", "infrastructureDefinitionId"), what)])
    fitting = lookup.infrastructures(actor).filter(
        connector__deployment_type=workflow.service.deployment_type
    )
    # Another one than the workflow's is refused by the action, as everywhere.
    wanted = fitting.filter(pk=chosen or workflow.infrastructure_id or 0)
    return lookup.only(wanted, "infrastructure definition")


def _artifact(sent: StartExecutionInput, workflow: Workflow) -> Artifact | None:
    service, given = workflow.service, sent.service_inputs or []
    path = ("input", "serviceInputs")
    if others := [each.name for each in given if each.name != service.name]:
        what = f"The workflow deploys {service.name}, not {', '.join(others)}."
        raise wrong([(path, what)])
    if not given and service.artifact_type == ArtifactType.NONE:
        return None
    if len(given) != 1:
        raise wrong([(path, f"Say once which version of {service.name} to deploy.")])
    version = given[0].artifact_value_input.build_number.build_number
    found = Artifact.objects.filter(service=service, version=version).first()
    if found is None:
        raise wrong([(path, f"{service.name} has no version {version}.")])
    return found
