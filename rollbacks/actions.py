"""What people may do. Each asks permission and eligibility again, on the locked target row.

Every action takes its actor; there is no way round the check. Denied (accounts.policy) means the
actor lacks a permission, Refused that the state forbids it, and nothing was changed by either.
Each is a row of the audit trail: in its own transaction when it is done, after it when refused.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Model

from accounts import audit, policy
from accounts.models import User
from accounts.vocabulary import AccountPermission, Right, Verb
from dashboard.models import (
    ACTIVE,
    Artifact,
    Deployment,
    Infrastructure,
    Status,
    Target,
    Workflow,
)
from rollbacks import (
    decisions,
    eligibility,
    journal,
    lifecycle,
    matching,
    observation,
    plan,
    rights,
    rosters,
    tasks,
)
from rollbacks.definition import DefinitionError
from rollbacks.eligibility import Code, Refusal, Refused
from rollbacks.platforms.base import PlatformError
from rollbacks.strategies import FailureAction


class PlanChanged(Exception):
    """The rollback would now do something else than what was shown; show it again."""

    def __init__(self, current: plan.Plan) -> None:
        super().__init__("What the rollback would do has changed since it was shown.")
        self.current = current


@dataclass(frozen=True)
class RollbackRequest:
    """What the person confirmed: `seen` is the fingerprint of the plan that was shown."""

    seen: str
    configuration: plan.Configuration = plan.Configuration.CURRENT
    note: str = ""
    freeze_override: bool = False


def confirmation(
    deployment: Deployment, actor: User, configuration: plan.Configuration, now: datetime
) -> tuple[plan.Plan | None, list[Refusal]]:
    """What the dialog shows: the plan, and everything that stands against it. Raises Denied."""
    with _asking(actor, Verb.ROLLBACK_REQUESTED, deployment):
        _catch_up(deployment, actor, now)
        return _confirmation(deployment, actor, configuration, now)


def _catch_up(deployment: Deployment, actor: User, now: datetime) -> None:
    """Whatever hosts there are now are what is planned for; asked outside of any transaction."""
    if not rosters.has_one(deployment.target.infrastructure):
        return
    policy.require(*rights.to_roll_back(actor, deployment))
    observation.catch_up(deployment.target, now)


def _confirmation(
    deployment: Deployment, actor: User, configuration: plan.Configuration, now: datetime
) -> tuple[plan.Plan | None, list[Refusal]]:
    policy.require(*rights.to_roll_back(actor, deployment))
    refusals = eligibility.refusals(deployment, now)
    if any(refusal.code != Code.FROZEN for refusal in refusals):
        return None, refusals
    try:
        planned = plan.rollback(deployment, configuration)
    except PlatformError as error:
        return None, [*refusals, eligibility.cannot_plan(error)]
    return planned, [*refusals, *_not_captured(planned)]


def roll_back(
    deployment_id: int, actor: User, request: RollbackRequest, now: datetime
) -> Deployment:
    """Start the rollback that was confirmed; a second call finds the first one's.

    Raises Denied, Refused, or PlanChanged with the plan as it is now.
    """
    deployment = Deployment.objects.with_names().get(pk=deployment_id)
    try:
        with _asking(actor, Verb.ROLLBACK_REQUESTED, deployment):
            _catch_up(deployment, actor, now)
            with transaction.atomic():
                return _roll_back(deployment_id, actor, request, now)
    except IntegrityError:
        # Two confirmed at once on a database that let both look: the other one's row is there now.
        running = _running_rollback(deployment_id)
        if running is None:
            raise
        return running


def _roll_back(
    deployment_id: int, actor: User, request: RollbackRequest, now: datetime
) -> Deployment:
    deployment = _locked(deployment_id)
    policy.require(*rights.to_roll_back(actor, deployment))
    if running := _running_rollback(deployment_id):
        return running
    planned, found = _confirmation(deployment, actor, request.configuration, now)
    found = _not_overridden(found, actor, request)
    if found or planned is None:
        raise Refused(*found)
    if planned.fingerprint != request.seen:
        raise PlanChanged(planned)
    rollback = Deployment(
        target=deployment.target,
        workflow=deployment.workflow,
        revision=planned.revision,
        artifact=deployment.replaces.artifact if deployment.replaces else None,
        variables=deployment.variables,
        infrastructure_settings=deployment.target.infrastructure.settings,
        rolls_back=deployment,
        started_by=actor,
        note=request.note,
        freeze_override=request.freeze_override,
        created_at=now,
    )
    journal.enqueue(rollback, planned.phases)
    _record(Verb.ROLLBACK_REQUESTED, rollback, actor)
    _hint(rollback)
    return rollback


def execute(
    workflow: Workflow,
    infrastructure: Infrastructure,
    artifact: Artifact | None,
    variables: Mapping[str, str],
    actor: User,
    now: datetime,
    *,
    note: str = "",
) -> Deployment:
    """Start a deployment. Raises Denied, Refused, or DefinitionError about the variables."""
    with _asking(actor, Verb.EXECUTION_REQUESTED, workflow):
        _require_listed(infrastructure, actor, now)
        return _execute(workflow, infrastructure, artifact, variables, actor, now, note)


def _require_listed(infrastructure: Infrastructure, actor: User, now: datetime) -> None:
    """A deployment waits until it is known which hosts there are; asked outside of a transaction.

    Raises Denied, Refused.
    """
    if not rosters.has_one(infrastructure):
        return
    policy.require(*rights.to_execute(actor, infrastructure.environment))
    if unlisted := rosters.refresh(infrastructure, now):
        raise Refused(eligibility.cannot_plan(PlatformError(unlisted)))


def _execute(
    workflow: Workflow,
    infrastructure: Infrastructure,
    artifact: Artifact | None,
    variables: Mapping[str, str],
    actor: User,
    now: datetime,
    note: str,
) -> Deployment:
    # The page may be old: what is executed is the workflow as it is now.
    workflow = Workflow.objects.select_related("current_revision").get(pk=workflow.pk)
    with transaction.atomic():
        policy.require(*rights.to_execute(actor, infrastructure.environment))
        target, _ = Target.objects.get_or_create(
            service=workflow.service, infrastructure=infrastructure
        )
        target = Target.objects.select_for_update(no_key=True).get(pk=target.pk)
        revision = matching.executable(workflow)
        matching.require_match(workflow, infrastructure, artifact)
        deployment = Deployment(
            target=target,
            workflow=workflow,
            revision=revision,
            artifact=artifact,
            variables=matching.definition(revision).values(variables),
            infrastructure_settings=infrastructure.settings,
            started_by=actor,
            note=note,
            created_at=now,
        )
        if found := list(eligibility.frozen(deployment, now)):
            raise Refused(*found)
        try:
            phases = plan.forward(matching.definition(revision), target)
        except PlatformError as error:
            raise Refused(eligibility.cannot_plan(error)) from None
        journal.enqueue(deployment, phases)
        _record(Verb.EXECUTION_REQUESTED, deployment, actor)
        _hint(deployment)
    return deployment


def rerun(deployment: Deployment, actor: User, now: datetime) -> Deployment:
    """Deploy the same artifact with the same variables again. Raises Denied or Refused."""
    with _asking(actor, Verb.EXECUTION_REQUESTED, deployment):
        _require_listed(deployment.target.infrastructure, actor, now)
        with transaction.atomic():
            return _rerun(deployment, actor, now)


def _rerun(deployment: Deployment, actor: User, now: datetime) -> Deployment:
    locked = _locked(deployment.pk)
    if found := eligibility.rerun_refusals(locked, now):
        raise Refused(*found)
    try:
        return _execute(
            locked.workflow,
            locked.target.infrastructure,
            locked.artifact,
            locked.variables,
            actor,
            now,
            note=f"Rerun of deployment {deployment.pk}",
        )
    except DefinitionError as error:
        raise Refused(
            Refusal(
                Code.CANNOT_PLAN,
                f"The workflow's variables were edited since this deployment ({error}).",
                "Execute the workflow and give its variables.",
            )
        ) from None


def abort(deployment: Deployment, actor: User, now: datetime) -> None:
    """Stop: no rollback step runs, nothing is cleaned up. Raises Denied or Refused."""
    message = f"Aborted by {actor.label}."
    with _asking(actor, Verb.ABORT_REQUESTED, deployment), transaction.atomic():
        policy.require(*rights.to_abort(actor, deployment))
        locked = _locked(deployment.pk)
        if locked.status == Status.QUEUED:
            changes: dict[str, Any] = {"finished_at": now}
            to = Status.ABORTED
            journal.skip_queued(locked)
            message += " It had not begun; nothing was touched."
        else:
            # A paused execution has no worker: without a lease the next sweep ends it.
            changes = {"lease_until": None} if locked.status == Status.PAUSED else {}
            to = Status.ABORTING
        _advance(locked, to, actor, now, "ABORTED_BY", message, **changes)
        _record(Verb.ABORT_REQUESTED, locked, actor)
        _hint(locked)


def resume(deployment: Deployment, actor: User, now: datetime) -> None:
    """Let a paused execution look again and go on. Raises Denied or Refused."""
    with _asking(actor, Verb.RESUME_REQUESTED, deployment), transaction.atomic():
        policy.require(*rights.to_work_on(actor, deployment))
        locked = _locked(deployment.pk)
        # A queued one may become running too, yet only as the head of its target's queue.
        if locked.status != Status.PAUSED:
            raise Refused(eligibility.not_now(locked))
        if decisions.choices(locked):
            raise Refused(
                Refusal(
                    Code.DECISION_NEEDED,
                    "A step has failed, and what is to follow must be decided.",
                    "Choose one of what the deployment's page offers.",
                )
            )
        message = f"Resumed by {actor.label}."
        _advance(
            locked, Status.RUNNING, actor, now, "RESUMED", message,
            lease_until=None, resumed_by=actor,
        )  # fmt: skip
        _record(Verb.RESUME_REQUESTED, locked, actor)
        _hint(locked)


def decide(deployment: Deployment, action: FailureAction, actor: User, now: datetime) -> None:
    """Say what follows the failure that is waited with. Raises Denied or Refused."""
    with _asking(actor, Verb.INTERVENTION, deployment), transaction.atomic():
        policy.require(*rights.to_decide(actor, deployment, action))
        locked = _locked(deployment.pk)
        choice = next((e for e in decisions.choices(locked) if e.action == action), None)
        if choice is None:
            raise Refused(eligibility.not_now(locked))
        journal.settle(choice.step, action)
        _advance(
            locked, Status.RUNNING, actor, now, "DECIDED", f"{choice.label}: {actor.label}.",
            lease_until=None, resumed_by=actor,
        )  # fmt: skip
        _record(Verb.INTERVENTION, locked, actor)
        _hint(locked)


def refresh(target: Target, actor: User) -> None:
    """Ask for a look at what runs now. Raises Denied."""
    environment = target.infrastructure.environment
    policy.require(policy.may(actor, Right.VIEW_DEPLOYMENTS, environment), f"to see {environment}")
    transaction.on_commit(lambda: tasks.hint_sync(target.pk))


@contextmanager
def _asking(actor: User, verb: Verb, subject: Model) -> Iterator[None]:
    """What is asked inside is recorded if it is refused, once its transaction is taken back."""
    with audit.attempt(actor, verb.label, subject, policy.Denied, Refused, PlanChanged):
        yield


def _record(verb: Verb, deployment: Deployment, actor: User) -> None:
    undone = deployment.rolls_back
    audit.record(
        verb,
        actor=actor,
        subject=deployment,
        before={"artifact": str(undone.artifact)} if undone else None,
        after={
            "target": str(deployment.target),
            "workflow": deployment.workflow.name,
            "artifact": str(deployment.artifact),
            "reason": deployment.note,
        },
        message="Overrides a deployment freeze." if deployment.freeze_override else "",
    )


def _locked(deployment_id: int) -> Deployment:
    """The deployment, with its target's row locked until the transaction ends."""
    target_id = Deployment.objects.values_list("target", flat=True).get(pk=deployment_id)
    Target.objects.select_for_update(no_key=True).get(pk=target_id)
    return (
        Deployment.objects.with_names()
        .select_related("revision", "replaces__artifact", "workflow__current_revision")
        .get(pk=deployment_id)
    )


def _running_rollback(deployment_id: int) -> Deployment | None:
    return Deployment.objects.filter(rolls_back=deployment_id, status__in=ACTIVE).first()


def _not_overridden(found: list[Refusal], actor: User, request: RollbackRequest) -> list[Refusal]:
    """What still stands against it once somebody who may has overridden the freeze."""
    others = [each for each in found if each.code != Code.FROZEN]
    if len(others) == len(found) or not request.freeze_override:
        return found
    policy.require(
        policy.holds(actor, AccountPermission.ALLOW_DEPLOYMENTS_DURING_FREEZE),
        AccountPermission.ALLOW_DEPLOYMENTS_DURING_FREEZE.label,
    )
    if request.note.strip():
        return others
    return [
        *others,
        Refusal(
            Code.FROZEN,
            "A rollback during a deployment freeze needs a reason.",
            "Write the reason and confirm again.",
        ),
    ]


def _not_captured(planned: plan.Plan) -> list[Refusal]:
    remedy = "Restore the step in the workflow."
    if planned.has_choice and planned.configuration == plan.Configuration.CURRENT:
        remedy = "Choose the configuration as it was deployed."
    return [Refusal(Code.STEP_NOT_CAPTURED, f"{problem}.", remedy) for problem in planned.problems]


def _advance(
    deployment: Deployment,
    to: Status,
    actor: User,
    now: datetime,
    code: str,
    message: str,
    **fields: Any,
) -> None:
    try:
        lifecycle.advance(
            deployment.pk, to, now=now, actor=actor, code=code, message=message, **fields
        )
    except lifecycle.IllegalTransition:
        raise Refused(eligibility.not_now(deployment)) from None


def _hint(deployment: Deployment) -> None:
    pk = deployment.pk
    transaction.on_commit(lambda: tasks.hint(pk))
