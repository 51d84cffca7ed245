"""Which permission each action needs, as (whether the actor has it, its name for people)."""

from accounts import policy
from accounts.models import User
from accounts.vocabulary import Right
from dashboard.models import Deployment, Environment
from rollbacks.strategies import UNDOING, FailureAction


def to_roll_back(actor: User, deployment: Deployment) -> tuple[bool, str]:
    """Manage Applications and Rollback Workflow (reference 1.5)."""
    environment = deployment.target.infrastructure.environment
    allowed = policy.may_roll_back(actor, environment)
    return allowed, f"Manage Applications and Rollback Workflow on {environment}"


def to_execute(actor: User, environment: Environment) -> tuple[bool, str]:
    allowed = policy.may(actor, Right.EXECUTE_WORKFLOW, environment)
    return allowed, f"Execute Workflow on {environment}"


def to_abort(actor: User, deployment: Deployment) -> tuple[bool, str]:
    """Execute Workflow includes it, Rollback Workflow does not (reference 3.5)."""
    environment = deployment.target.infrastructure.environment
    allowed = policy.may(actor, Right.ABORT_WORKFLOW, environment)
    return allowed, f"Abort Workflow on {environment}"


def to_decide(actor: User, deployment: Deployment, action: FailureAction) -> tuple[bool, str]:
    """Executing includes every choice but rolling back (reference 3.5)."""
    allowed, needed = to_work_on(actor, deployment)
    if action not in UNDOING or not allowed:
        return allowed, needed
    return to_roll_back(actor, deployment)


def to_work_on(actor: User, deployment: Deployment) -> tuple[bool, str]:
    """What an execution needs while it runs, asked again before each step and to resume it."""
    if deployment.is_rollback:
        return to_roll_back(actor, deployment)
    return to_execute(actor, deployment.target.infrastructure.environment)
