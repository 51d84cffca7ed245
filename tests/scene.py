"""The people and things tests are about, made through the product's own code."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from accounts import grants
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
from rollbacks import actions, execution
from rollbacks.definition import parse
from rollbacks.eligibility import Refused
from rollbacks.plan import Configuration


def person(name: str, *groups: UserGroup, **fields: Any) -> User:
    """An active user in these groups; the password is the name."""
    user = User.objects.create_user(name, password=name, **fields)
    user.groups.set(groups)
    return user


def group(
    name: str,
    *actions: Action,
    account: Sequence[AccountPermission] = (),
    applications: Sequence[Application] | None = None,
    environments: Sequence[Environment] | None = None,
    production: bool = True,
    non_production: bool = True,
) -> UserGroup:
    """A group with one row of application permissions (none without actions)."""
    made = UserGroup.objects.create(name=name, account_permissions=[each.value for each in account])
    if actions:
        row = AppPermission.objects.create(
            user_group=made,
            permission_type=PermissionType.DEPLOYMENT,
            actions=[action.value for action in actions],
            all_applications=applications is None,
            production=production and environments is None,
            non_production=non_production and environments is None,
        )
        row.applications.set(applications or ())
        row.environments.set(environments or ())
    grants.materialise(group=made)
    return made


def revise(workflow: Workflow, document: Mapping[str, Any]) -> WorkflowRevision:
    """A new revision of the workflow, checked as everywhere."""
    definition = parse(document, workflow.service.deployment_type, workflow.workflow_type)
    revision = WorkflowRevision.objects.create(
        workflow=workflow,
        number=workflow.revisions.count() + 1,
        definition=definition.model_dump(mode="json"),
    )
    workflow.current_revision = revision
    workflow.save()
    return revision


@dataclass
class Scene:
    """One service on one infrastructure with a workflow, and the people around it."""

    engineer: User
    viewer: User
    stranger: User
    former: User
    service: Service
    environment: Environment
    infrastructure: Infrastructure
    workflow: Workflow
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def target(self) -> Target:
        return Target.objects.get(service=self.service, infrastructure=self.infrastructure)

    def another_infrastructure(self, name: str, hosts: Sequence[str]) -> Infrastructure:
        """Other hosts in the same environment, and a workflow that asks where to go to."""
        self.workflow.infrastructure = None
        self.workflow.save()
        return Infrastructure.objects.create(
            environment=self.environment,
            name=name,
            connector=self.infrastructure.connector,
            settings={"hosts": list(hosts)},
        )

    def artifact(self, version: str) -> Artifact:
        found, _ = Artifact.objects.get_or_create(
            service=self.service, version=version, defaults={"location": f"/{version}.zip"}
        )
        return found

    def start(self, version: str, **choices: Any) -> Deployment:
        """Ask for a deployment as the engineer; nothing runs yet."""
        return actions.execute(
            choices.pop("workflow", self.workflow),
            choices.pop("infrastructure", self.infrastructure),
            choices.pop("artifact", None) or self.artifact(version),
            choices.pop("variables", {}),
            choices.pop("actor", self.engineer),
            timezone.now(),
            **choices,
        )

    def deploy(self, version: str, **choices: Any) -> Deployment:
        """Ask for a deployment and let a worker do it."""
        return run(self.start(version, **choices))

    def confirm(
        self,
        deployment: Deployment,
        actor: User | None = None,
        configuration: Configuration = Configuration.CURRENT,
        **request: Any,
    ) -> Deployment:
        """Open the dialog and press Rollback, as the engineer by default; nothing runs yet."""
        actor = actor or self.engineer
        deployment = Deployment.objects.get(pk=deployment.pk)
        plan, refusals = actions.confirmation(deployment, actor, configuration, timezone.now())
        if plan is None:
            raise Refused(*refusals)
        asked = actions.RollbackRequest(plan.fingerprint, configuration, **request)
        return actions.roll_back(deployment.pk, actor, asked, timezone.now())

    def roll_back(self, deployment: Deployment, **choices: Any) -> Deployment:
        """Confirm and let a worker do it."""
        return run(self.confirm(deployment, **choices))


def run(deployment: Deployment, owner: str = "worker") -> Deployment:
    """Let a worker work on it; the deployment as it is afterwards."""
    execution.execute(deployment.pk, owner)
    return Deployment.objects.get(pk=deployment.pk)


def verdicts(deployment: Deployment) -> dict[str, str]:
    """What the look afterwards said, by instance."""
    return {each["key"]: each["verdict"] for each in (deployment.after or {})["instances"]}


def scene(
    *,
    definition: Mapping[str, Any] | None = None,
    workflow_type: str = "BASIC",
    deployment_type: str = "SSH",
    environment_type: str = "PRODUCTION",
    connector: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    credential: str = "",
    artifact_type: str = "ZIP",
) -> Scene:
    """A scene with everything in place and nothing deployed."""
    application = Application.objects.create(name="Shop")
    environment = Environment.objects.create(
        application=application, name="production", environment_type=environment_type
    )
    service = Service.objects.create(
        application=application,
        name="storefront",
        deployment_type=deployment_type,
        artifact_type=artifact_type,
    )
    infrastructure = Infrastructure.objects.create(
        environment=environment,
        name="web hosts",
        connector=Connector.objects.create(
            name="hosts",
            deployment_type=deployment_type,
            settings=connector or {},
            credential=credential,
        ),
        settings=settings or {"hosts": ["web-1", "web-2", "web-3"]},
    )
    workflow = Workflow.objects.create(
        application=application,
        name="Deploy storefront",
        workflow_type=workflow_type,
        service=service,
        infrastructure=infrastructure,
    )
    revise(workflow, definition or {})
    engineers = group(
        "Engineers",
        Action.READ,
        Action.EXECUTE_WORKFLOW,
        Action.ROLLBACK_WORKFLOW,
        account=[AccountPermission.MANAGE_APPLICATIONS],
    )
    return Scene(
        engineer=person("engineer", engineers),
        viewer=person("viewer", group("Viewers", Action.READ)),
        stranger=person("stranger"),
        former=person("former", engineers, is_active=False),
        service=service,
        environment=environment,
        infrastructure=infrastructure,
        workflow=workflow,
    )
