"""May this deployment be rolled back, and if not, why, and what mends it.

Menu, dialog, action and docs use the same refusals. Who may is not asked here: accounts.policy.
Rules: docs/eligibility.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.urls import reverse

from dashboard.models import (
    ACTIVE,
    Deployment,
    DeploymentFreeze,
    DeploymentType,
    Direction,
    Status,
    Step,
    WorkflowType,
)
from rollbacks.definition import DefinitionError, checked
from rollbacks.platforms import steps_of
from rollbacks.platforms.base import PlatformError


class Code(StrEnum):
    """Why a rollback (or a rerun) is refused."""

    NOT_SUCCEEDED = "NOT_SUCCEEDED"
    IS_ROLLBACK = "IS_ROLLBACK"
    ALREADY_ROLLED_BACK = "ALREADY_ROLLED_BACK"
    NOT_CURRENT = "NOT_CURRENT"
    NO_PREVIOUS = "NO_PREVIOUS"
    NO_PREVIOUS_ARTIFACT = "NO_PREVIOUS_ARTIFACT"
    ARTIFACT_HARD_CODED = "ARTIFACT_HARD_CODED"
    MULTI_SERVICE = "MULTI_SERVICE"
    UNSUPPORTED = "UNSUPPORTED"
    WORKFLOW_DELETED = "WORKFLOW_DELETED"
    INSTANCES_NOT_RECORDED = "INSTANCES_NOT_RECORDED"
    IRREVERSIBLE = "IRREVERSIBLE"
    TARGET_BUSY = "TARGET_BUSY"
    FROZEN = "FROZEN"
    STEP_NOT_CAPTURED = "STEP_NOT_CAPTURED"
    CANNOT_PLAN = "CANNOT_PLAN"
    NOT_FINISHED = "NOT_FINISHED"
    DECISION_NEEDED = "DECISION_NEEDED"
    WAS_ROLLED_BACK = "WAS_ROLLED_BACK"


@dataclass(frozen=True)
class Refusal:
    """`sentence` says why not, `remedy` what to do, `url` leads to what is in the way."""

    code: Code
    sentence: str
    remedy: str
    url: str = ""
    link_text: str = ""


class Refused(Exception):
    """The action is refused for these reasons; nothing was changed."""

    def __init__(self, *refusals: Refusal) -> None:
        super().__init__(" ".join(refusal.sentence for refusal in refusals))
        self.refusals = refusals


_BASIC_CANARY_BLUE_GREEN = frozenset(
    {WorkflowType.BASIC, WorkflowType.CANARY, WorkflowType.BLUE_GREEN}
)
# Reference 1.3. Rolling exists for SSH and WinRM, yet is not rolled back after the deployment.
SUPPORTED: dict[str, frozenset[str]] = {
    DeploymentType.KUBERNETES: _BASIC_CANARY_BLUE_GREEN | {WorkflowType.ROLLING},
    DeploymentType.SSH: _BASIC_CANARY_BLUE_GREEN,
    DeploymentType.PCF: _BASIC_CANARY_BLUE_GREEN,
    DeploymentType.WINRM: _BASIC_CANARY_BLUE_GREEN,
    DeploymentType.ECS: _BASIC_CANARY_BLUE_GREEN | {WorkflowType.ROLLING},
    DeploymentType.AMI: _BASIC_CANARY_BLUE_GREEN,
}


def refusals(deployment: Deployment, now: datetime) -> list[Refusal]:
    """Everything that stands against rolling this deployment back; empty: it may be."""
    return [
        *_of_the_deployment(deployment),
        *_of_its_workflow(deployment),
        *_of_its_past(deployment),
        *_of_its_steps(deployment),
        *_of_its_target(deployment),
        *frozen(deployment, now),
    ]


def _link(deployment: Deployment) -> tuple[str, str]:
    return reverse("deployment", args=[deployment.pk]), f"Open {str(deployment).lower()}"


def _of_the_deployment(deployment: Deployment) -> Iterator[Refusal]:
    if deployment.is_rollback:
        yield Refusal(
            Code.IS_ROLLBACK,
            "This is itself a rollback, and a rollback cannot be rolled back.",
            "Deploy the version you want.",
        )
        return
    if deployment.status != Status.SUCCEEDED:
        yield Refusal(
            Code.NOT_SUCCEEDED,
            f"This deployment is {deployment.get_status_display().lower()}; "
            "only a succeeded one can be rolled back.",
            "Roll back the current deployment instead."
            if deployment.is_finished
            else "Wait until it has ended, or abort it.",
        )
        return
    done = deployment.rollbacks.filter(status=Status.SUCCEEDED).first()
    if done:
        yield Refusal(
            Code.ALREADY_ROLLED_BACK,
            f"This deployment was already rolled back by {done.started_by.label}.",
            "To go further back, deploy the version you want.",
            *_link(done),
        )
    elif deployment.target.current_deployment_id != deployment.pk:
        newer = deployment.target.current_deployment
        yield Refusal(
            Code.NOT_CURRENT,
            "This is not the current deployment: a newer one has succeeded here since.",
            "Roll back the current deployment instead.",
            *(_link(newer) if newer else ()),
        )


def _of_its_workflow(deployment: Deployment) -> Iterator[Refusal]:
    workflow, platform = deployment.workflow, deployment.target.service.deployment_type
    if workflow.archived_at:
        yield Refusal(
            Code.WORKFLOW_DELETED,
            f"The workflow {workflow.name} was deleted, and with it its rollback steps.",
            "Deploy the earlier version with another workflow.",
        )
    if workflow.workflow_type == WorkflowType.MULTI_SERVICE:
        yield Refusal(
            Code.MULTI_SERVICE,
            "A Multi-Service workflow cannot be rolled back.",
            "Roll back each service by a deployment of its own workflow.",
        )
    elif workflow.workflow_type not in SUPPORTED[platform]:
        yield Refusal(
            Code.UNSUPPORTED,
            f"{workflow.get_workflow_type_display()} workflows on "
            f"{DeploymentType(platform).label} cannot be rolled back after they succeeded.",
            "Deploy the earlier version again.",
        )
    if deployment.artifact is None:
        yield Refusal(
            Code.ARTIFACT_HARD_CODED,
            "The artifact is hard-coded in the manifest, so Lastgood does not know what to "
            "return to.",
            "Let the workflow take an artifact, or change the manifest and deploy it.",
        )


def _of_its_past(deployment: Deployment) -> Iterator[Refusal]:
    earlier = Deployment.objects.filter(
        target=deployment.target_id,
        workflow=deployment.workflow_id,
        status=Status.SUCCEEDED,
        pk__lt=deployment.pk,
    )
    if not deployment.is_rollback and not earlier.exists():
        yield Refusal(
            Code.NO_PREVIOUS,
            f"It is the only successful deployment of {deployment.workflow.name} here, "
            "so there is nothing to return to.",
            "Deploy another version.",
        )
    elif not deployment.is_rollback and (
        deployment.replaces is None or deployment.replaces.artifact is None
    ):
        yield Refusal(
            Code.NO_PREVIOUS_ARTIFACT,
            "The deployment before this one had no artifact, so it is not known what to return to.",
            "Deploy the version you want.",
            *(_link(deployment.replaces) if deployment.replaces else ()),
        )


def _of_its_steps(deployment: Deployment) -> Iterator[Refusal]:
    steps = list(
        Step.objects.filter(phase__deployment=deployment, phase__direction=Direction.FORWARD)
        .select_related("phase")
        .defer("captured", "outcomes")
        .order_by("phase__position", "position")
    )
    recorded = [step.phase.instances for step in steps if step.phase.is_undoable]
    if deployment.status == Status.SUCCEEDED and (not recorded or None in recorded):
        yield Refusal(
            Code.INSTANCES_NOT_RECORDED,
            "It was not recorded which instances each phase deployed to.",
            "Deploy the earlier version again.",
        )
    deployment_type = deployment.target.service.deployment_type
    for sentence in dict.fromkeys(_irreversible(deployment_type, step) for step in steps):
        if sentence:
            yield Refusal(
                Code.IRREVERSIBLE, f"{sentence.rstrip('.')}.", "Deploy the version you want."
            )


def _irreversible(deployment_type: str, step: Step) -> str:
    """Empty also where this release cannot read the step: then no plan can be made."""
    try:
        kind = steps_of(deployment_type)[step.kind]
        settings = checked(kind.settings_model, step.settings)
    except (PlatformError, DefinitionError, KeyError):
        return ""
    return kind.irreversible(settings.model_dump())


def _of_its_target(deployment: Deployment) -> Iterator[Refusal]:
    active = deployment.target.deployments.filter(status__in=ACTIVE).exclude(pk=deployment.pk)
    if other := active.select_related("started_by").order_by("pk").first():
        verb = "being rolled back" if other.rolls_back_id == deployment.pk else "busy"
        yield Refusal(
            Code.TARGET_BUSY,
            f"{'This deployment' if verb != 'busy' else 'This target'} is {verb}: "
            f"{str(other).lower()} by {other.started_by.label} is "
            f"{other.get_status_display().lower()}.",
            "Wait until it has ended, or abort it.",
            *_link(other),
        )


def frozen(deployment: Deployment, now: datetime) -> Iterator[Refusal]:
    """The freezes that cover where the deployment runs; those who may can override them."""
    environment = deployment.target.infrastructure.environment
    for freeze in DeploymentFreeze.objects.covering(environment, now):
        until = f" until {freeze.ends_at:%Y-%m-%d %H:%M %Z}" if freeze.ends_at else ""
        yield Refusal(
            Code.FROZEN,
            f"The deployment freeze {freeze.name} covers {environment.name}{until}.",
            "Wait, or ask somebody who may deploy during a freeze.",
        )


def cannot_plan(error: PlatformError) -> Refusal:
    return Refusal(
        Code.CANNOT_PLAN,
        f"{str(error).rstrip('.')}.",
        "Ask whoever looks after the workflow and the infrastructure definition.",
    )


def not_now(deployment: Deployment) -> Refusal:
    """Of what depends on the status alone."""
    status = deployment.get_status_display().lower()
    return Refusal(
        Code.NOT_FINISHED,
        f"{deployment} is {status}, so this cannot be done.",
        "Reload the page to see what can.",
    )


def rerun_refusals(deployment: Deployment, now: datetime) -> list[Refusal]:
    """Everything that stands against running this deployment again (acceptance A14)."""
    found: list[Refusal] = []
    if deployment.is_rollback:
        found.append(
            Refusal(
                Code.IS_ROLLBACK,
                "A rollback is not rerun.",
                "Start Rollback Deployment again on the deployment it undoes.",
            )
        )
    if not deployment.is_finished:
        found.append(
            Refusal(Code.NOT_FINISHED, "It has not ended yet.", "Wait until it has ended.")
        )
    if rollback := deployment.rollbacks.order_by("-pk").first():
        state = "is being" if rollback.is_active else "was"
        found.append(
            Refusal(
                Code.WAS_ROLLED_BACK,
                f"This deployment {state} rolled back, so it is not rerun.",
                "Execute the workflow with the artifact you want.",
                *_link(rollback),
            )
        )
    if deployment.workflow.archived_at:
        found.append(
            Refusal(
                Code.WORKFLOW_DELETED,
                f"The workflow {deployment.workflow.name} was deleted.",
                "Execute another workflow.",
            )
        )
    return [*found, *frozen(deployment, now)]
