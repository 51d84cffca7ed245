"""What a rollback would do, as the API shows it: the same the dialog shows."""

from collections.abc import Sequence

import strawberry

from accounts import policy
from accounts.models import User
from accounts.vocabulary import AccountPermission
from dashboard.models import Deployment
from dashboard.schema.nodes import ArtifactNode, Execution, WorkflowExecution
from rollbacks import cautions, eligibility, journal
from rollbacks.eligibility import Code
from rollbacks.plan import Configuration, Plan
from rollbacks.platforms.base import Change

strawberry.enum(
    Configuration,
    name="RollbackConfiguration",
    description="Whose rollback steps run: the workflow's of now, or as it was deployed.",
)


@strawberry.type(description="Why not, and what to do about it.")
class Refusal:
    code: str
    sentence: str
    remedy: str

    @classmethod
    def of(cls, refusal: eligibility.Refusal) -> "Refusal":
        return cls(code=refusal.code.value, sentence=refusal.sentence, remedy=refusal.remedy)


@strawberry.type(description="Something to know before confirming; it forbids nothing.")
class Caution:
    title: str
    sentence: str
    diff: list[str]

    @classmethod
    def of(cls, caution: cautions.Caution) -> "Caution":
        return cls(title=caution.title, sentence=caution.sentence, diff=list(caution.diff))


@strawberry.type(name="PlannedChange", description="One thing a step would change.")
class ChangeNode:
    instance: str
    what: str
    before: str
    after: str

    @classmethod
    def of(cls, change: Change) -> "ChangeNode":
        return cls(
            instance=change.instance, what=change.what, before=change.before, after=change.after
        )


@strawberry.type
class PlannedStep:
    name: str
    kind: str
    problem: str = strawberry.field(description="Why it cannot be done; empty: it can.")
    done_by: str | None = strawberry.field(
        description="The id of the earlier rollback that did it already."
    )
    changes: list[ChangeNode]

    @classmethod
    def of(cls, step: journal.PlannedStep) -> "PlannedStep":
        changes = [ChangeNode.of(each) for each in step.changes]
        done_by = str(step.done_in.phase.deployment_id) if step.done_in else None
        return cls(
            name=step.name, kind=step.kind, problem=step.problem, done_by=done_by, changes=changes
        )


@strawberry.type(description="In the order in which they are undone.")
class PlannedPhase:
    name: str
    undoes: str
    instances: list[str]
    newcomers: list[str] = strawberry.field(
        description="Those of its instances that came after the deployment."
    )
    gone: list[str] = strawberry.field(description="Deployed to then, and no longer there.")
    steps: list[PlannedStep]

    @classmethod
    def of(cls, phase: journal.PlannedPhase) -> "PlannedPhase":
        return cls(
            name=phase.name,
            undoes=phase.undoes,
            instances=list(phase.instances),
            newcomers=list(phase.newcomers),
            gone=list(phase.gone),
            steps=[PlannedStep.of(each) for each in phase.steps],
        )


@strawberry.type(description="What exactly a rollback would do. Lastgood's own.")
class RollbackPlan:
    fingerprint: str = strawberry.field(description="Send it to rollbackDeployment.")
    configuration: Configuration
    revision: int = strawberry.field(description="Of the workflow, whose rollback steps run.")
    has_choice: bool = strawberry.field(
        description="Whether the workflow was edited since, so that configuration matters."
    )
    phases: list[PlannedPhase]
    cautions: list[Caution]
    reverts: list[str]
    leaves: list[str] = strawberry.field(description="What is not reverted.")
    new_instances: list[str] = strawberry.field(description="Came later, so not rolled back.")
    inactive: list[str] = strawberry.field(
        description="Hosts of the group on which nothing of the service runs: not touched."
    )

    @classmethod
    def of(cls, plan: Plan) -> "RollbackPlan":
        return cls(
            fingerprint=plan.fingerprint,
            configuration=plan.configuration,
            revision=plan.revision_number,
            has_choice=plan.has_choice,
            phases=[PlannedPhase.of(each) for each in plan.phases],
            cautions=[Caution.of(each) for each in plan.warnings],
            reverts=list(plan.reverts),
            leaves=list(plan.leaves),
            new_instances=list(plan.new_instances),
            inactive=list(plan.inactive),
        )


@strawberry.type(description="What the dialog shows before a rollback. Lastgood's own.")
class RollbackConfirmation:
    execution: Execution
    is_eligible: bool
    refusals: list[Refusal]
    may_override_freeze: bool = strawberry.field(
        description="Only a freeze is in the way, and you may roll back in spite of it."
    )
    from_artifact: ArtifactNode | None
    to_artifact: ArtifactNode | None
    plan: RollbackPlan | None

    @classmethod
    def of(
        cls,
        deployment: Deployment,
        plan: Plan | None,
        refusals: Sequence[eligibility.Refusal],
        actor: User,
    ) -> "RollbackConfirmation":
        execution = WorkflowExecution.of(deployment)
        is_frozen = {each.code for each in refusals} == {Code.FROZEN}
        return cls(
            execution=execution,
            is_eligible=not refusals,
            refusals=[Refusal.of(each) for each in refusals],
            may_override_freeze=is_frozen
            and policy.holds(actor, AccountPermission.ALLOW_DEPLOYMENTS_DURING_FREEZE),
            from_artifact=next(iter(execution.artifacts), None),
            to_artifact=next(iter(execution.rollback_artifacts), None),
            plan=RollbackPlan.of(plan) if plan else None,
        )
