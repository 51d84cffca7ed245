"""The rows a schedule begins with: people, one target and its workflow."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from accounts import administration, grants
from accounts.models import AppPermission, User, UserGroup
from accounts.vocabulary import AccountPermission, Action, PermissionType
from dashboard.models import (
    Application,
    Artifact,
    Connector,
    Deployment,
    Environment,
    Infrastructure,
    Service,
    Target,
    Workflow,
    WorkflowRevision,
)
from rollbacks import actions
from rollbacks.definition import parse
from rollbacks.eligibility import Refused
from rollbacks.plan import Configuration
from rollbacks.simulation.platform import KIND
from rollbacks.strategies import FailureAction

ENGINEER, COLLEAGUE = "engineer", "colleague"
GROUPS = {ENGINEER: "Engineers", COLLEAGUE: "Colleagues"}
DOES = (Action.READ, Action.EXECUTE_WORKFLOW, Action.ROLLBACK_WORKFLOW)
PARTS = ("files", "config")
TIMEOUT = 20.0


class Start(StrEnum):
    """What was done, without a fault, before a schedule begins; each goes on from the one before
    the last."""

    FIRST = "the first deployment is made"
    SECOND_ASKED = "the second deployment is asked for"
    SECOND = "the second deployment is made"
    ROLLBACK_ASKED = "the rollback of the second deployment is asked for"


# Of the workflow; and, where rollback steps may have it too, of those.
STRATEGIES: Mapping[FailureAction, Any] = {
    FailureAction.ROLLBACK_WORKFLOW: "ROLLBACK_WORKFLOW",
    FailureAction.ROLLBACK_PHASE: "ROLLBACK_PHASE",
    FailureAction.RETRY: {"action": "RETRY", "retries": 3, "delay": 2, "max_delay": 6},
    FailureAction.IGNORE: "IGNORE",
    FailureAction.MANUAL_INTERVENTION: {"action": "MANUAL_INTERVENTION", "timeout": 12},
    FailureAction.ABORT_WORKFLOW: "ABORT_WORKFLOW",
}
BOTH_WAYS = {FailureAction.RETRY, FailureAction.MANUAL_INTERVENTION}


@dataclass(frozen=True)
class Shape:
    """How many instances, in how many phases; how many parts each has; whether phases share; what
    follows a failure."""

    instances: int
    phases: int
    parts: int
    is_shared: bool = False
    strategy: FailureAction = FailureAction.ROLLBACK_WORKFLOW

    @property
    def names(self) -> list[str]:
        return [f"web-{number}" for number in range(1, self.instances + 1)]

    @property
    def workflow_type(self) -> str:
        return "BASIC" if self.phases == 1 else "CANARY"

    def definition(self) -> dict[str, Any]:
        """The last phase has what is left; with shared instances it has them all."""
        cut = [self.names[number : number + 1] for number in range(self.phases - 1)]
        cut.append(self.names if self.is_shared else self.names[self.phases - 1 :])
        steps = [
            {"name": f"Set {part}", "kind": KIND, "settings": {"part": part},
             "timeout": TIMEOUT}
            for part in PARTS[: self.parts]
        ]  # fmt: skip
        strategy = STRATEGIES[self.strategy]
        more = {}
        if self.strategy in BOTH_WAYS:
            undo = [{"undo": f"Set {part}", "failure_strategy": strategy} for part in PARTS]
            more = {"rollback_steps": undo[self.parts - 1 :: -1]}
        return {
            "failure_strategy": strategy,
            "phases": [
                {"name": f"Phase {number}", "select": {"hosts": hosts}, "steps": steps, **more}
                for number, hosts in enumerate(cut, start=1)
            ],
        }


SHAPES = (
    Shape(1, 1, 1),
    Shape(2, 1, 2),
    Shape(4, 1, 1),
    Shape(2, 2, 1),
    Shape(2, 2, 1, is_shared=True),
    Shape(3, 2, 2),
    Shape(3, 3, 1),
    Shape(2, 2, 2, is_shared=True),
    Shape(3, 3, 1, strategy=FailureAction.ROLLBACK_PHASE),
    Shape(2, 2, 1, is_shared=True, strategy=FailureAction.ROLLBACK_PHASE),
    Shape(2, 2, 2, strategy=FailureAction.RETRY),
    Shape(2, 2, 1, strategy=FailureAction.IGNORE),
    Shape(2, 2, 2, strategy=FailureAction.MANUAL_INTERVENTION),
    Shape(2, 2, 1, strategy=FailureAction.ABORT_WORKFLOW),
)


def nothing_yet(shape: Shape) -> dict[str, dict[str, str]]:
    """The instances before the first deployment."""
    return {host: dict.fromkeys(PARTS[: shape.parts], "") for host in shape.names}


def declare_people() -> None:
    """Whom every schedule is about; with them, what they may do in places yet to come."""
    User.objects.create(username="admin", is_superuser=True)
    for name, group in GROUPS.items():
        _declare_person(name, group)


def declare(shape: Shape) -> None:
    """Everything else but deployments."""
    application = Application.objects.create(name="Shop")
    environment = Environment.objects.create(
        application=application, name="production", environment_type="PRODUCTION"
    )
    service = Service.objects.create(
        application=application, name="storefront", deployment_type="SSH", artifact_type="ZIP"
    )
    infrastructure = Infrastructure.objects.create(
        environment=environment,
        name="web hosts",
        connector=Connector.objects.create(name="hosts", deployment_type="SSH"),
        settings={"hosts": shape.names},
    )
    for version in ("1", "2", "3"):
        Artifact.objects.create(service=service, version=version, location=f"/{version}.zip")
    workflow = Workflow.objects.create(
        application=application,
        name="Deploy storefront",
        workflow_type=shape.workflow_type,
        service=service,
        infrastructure=infrastructure,
    )
    definition = parse(shape.definition(), "SSH", shape.workflow_type)
    workflow.current_revision = WorkflowRevision.objects.create(
        workflow=workflow, number=1, definition=definition.model_dump(mode="json")
    )
    workflow.save()
    Target.objects.create(service=service, infrastructure=infrastructure)
    grants.materialise()


def _declare_person(name: str, group_name: str) -> None:
    group = UserGroup.objects.create(
        name=group_name, account_permissions=[AccountPermission.MANAGE_APPLICATIONS.value]
    )
    AppPermission.objects.create(
        user_group=group,
        permission_type=PermissionType.DEPLOYMENT,
        actions=[action.value for action in DOES],
        all_applications=True,
        production=True,
        non_production=True,
    )
    User.objects.create(username=name).groups.add(group)


def person(name: str) -> User:
    return User.objects.get(username=name)


def deploy(version: str, who: str, now: datetime) -> int:
    """Ask for a deployment, as from its page; its primary key."""
    return actions.execute(
        Workflow.objects.get(),
        Infrastructure.objects.get(),
        Artifact.objects.get(version=version),
        {},
        person(who),
        now,
    ).pk


def roll_back(deployment_id: int, who: str, now: Callable[[], datetime]) -> int:
    """Open the dialog and confirm; the rollback's primary key. Raises what the actions raise."""
    actor = person(who)
    deployment = Deployment.objects.with_names().get(pk=deployment_id)
    planned, refusals = actions.confirmation(deployment, actor, Configuration.CURRENT, now())
    if planned is None:
        raise Refused(*refusals)
    request = actions.RollbackRequest(planned.fingerprint)
    return actions.roll_back(deployment_id, actor, request, now()).pk


def set_rights(name: str, *, held: bool) -> None:
    """Take a person's membership away, or give it back, as an administrator does."""
    group, user = UserGroup.objects.get(name=GROUPS[name]), person(name)
    change = administration.add_member if held else administration.remove_member
    change(group, user, by=None)
