"""What pages show, written straight into the tables: pages read whatever is there."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from accounts import grants
from accounts.models import AppPermission, User, UserGroup
from accounts.vocabulary import AccountPermission, Action, PermissionType
from dashboard.models import (
    ACTIVE,
    Application,
    Artifact,
    Connector,
    Deployment,
    Environment,
    EnvironmentType,
    Event,
    Infrastructure,
    Instance,
    LogLine,
    Phase,
    Service,
    Status,
    Step,
    Target,
    Workflow,
    WorkflowRevision,
)


def make_person(name: str, *groups: UserGroup, **fields: Any) -> User:
    """An active user whose password is the name."""
    user = User.objects.create_user(name, password=name, **fields)
    user.groups.set(groups)
    return user


def make_group(
    name: str, *actions: Action, account: Sequence[AccountPermission] = (), **row: Any
) -> UserGroup:
    """A group with one row of permissions on deployments, everywhere unless told otherwise."""
    group = UserGroup.objects.create(
        name=name, account_permissions=[each.value for each in account]
    )
    if actions:
        everywhere = {"all_applications": True, "production": True, "non_production": True}
        AppPermission.objects.create(
            user_group=group,
            permission_type=PermissionType.DEPLOYMENT,
            actions=[action.value for action in actions],
            **(everywhere | row),
        )
    grants.materialise(group=group)
    return group


def make_people() -> dict[str, User]:
    """Engineer, viewer, stranger, former and admin."""
    engineers = make_group(
        "Engineers",
        Action.READ,
        Action.EXECUTE_WORKFLOW,
        Action.ROLLBACK_WORKFLOW,
        account=[AccountPermission.MANAGE_APPLICATIONS],
    )
    admins = make_group("Admins", account=[AccountPermission.MANAGE_USERS_AND_GROUPS])
    return {
        "engineer": make_person("engineer", engineers, first_name="Ada", last_name="Lovelace"),
        "viewer": make_person("viewer", make_group("Viewers", Action.READ)),
        "stranger": make_person("stranger"),
        "former": make_person("former", engineers, is_active=False),
        "admin": make_person("admin", admins),
    }


def make_application(name: str = "Shop") -> Application:
    return Application.objects.get_or_create(name=name)[0]


def make_service(name: str = "storefront", application: Application | None = None) -> Service:
    return Service.objects.create(
        application=application or make_application(),
        name=name,
        deployment_type="SSH",
        artifact_type="ZIP",
    )


def make_environment(
    name: str = "production", application: Application | None = None
) -> Environment:
    """Production if the name says so."""
    is_production = name.startswith("production")
    return Environment.objects.get_or_create(
        application=application or make_application(),
        name=name,
        defaults={
            "environment_type": EnvironmentType.PRODUCTION
            if is_production
            else EnvironmentType.NON_PRODUCTION
        },
    )[0]


def make_target(
    service: Service, environment: Environment | None = None, name: str = "web hosts"
) -> Target:
    environment = environment or make_environment(application=service.application)
    connector, _ = Connector.objects.get_or_create(name="hosts", deployment_type="SSH")
    infrastructure, _ = Infrastructure.objects.get_or_create(
        environment=environment, name=name, connector=connector
    )
    return Target.objects.create(
        service=service, infrastructure=infrastructure, synced_at=timezone.now()
    )


def make_workflow(target: Target) -> Workflow:
    workflow, created = Workflow.objects.get_or_create(
        application=target.service.application,
        name=f"Deploy {target.service.name}",
        defaults={"service": target.service, "workflow_type": "BASIC"},
    )
    if created:
        definition = {"phases": [{"name": "All", "steps": [{"name": "Go", "kind": "wait"}]}]}
        workflow.current_revision = WorkflowRevision.objects.create(
            workflow=workflow, number=1, definition=definition
        )
        workflow.save()
    return workflow


def make_deployment(
    target: Target,
    version: str = "1.4.2",
    *,
    status: str = Status.SUCCEEDED,
    by: User | None = None,
    at: datetime | None = None,
    **fields: Any,
) -> Deployment:
    """An execution as it is at rest in that status; a success is what runs now."""
    began = at or timezone.now() - timedelta(minutes=3)
    artifact, _ = Artifact.objects.get_or_create(
        service=target.service, version=version, defaults={"location": f"/{version}.zip"}
    )
    workflow = make_workflow(target)
    assert workflow.current_revision
    by = by or User.objects.filter(username="engineer").first() or make_person("engineer")
    target.refresh_from_db()
    deployment = Deployment.objects.create(
        target=target,
        workflow=workflow,
        revision=workflow.current_revision,
        artifact=artifact,
        replaces=target.current_deployment,
        status=status,
        started_by=by,
        created_at=began,
        started_at=None if status == Status.QUEUED else began,
        finished_at=None if status in ACTIVE else began + timedelta(seconds=42),
        **fields,
    )
    Event.objects.create(deployment=deployment, at=began, actor=by, status=Status.QUEUED)
    target.latest_deployment = deployment
    if status == Status.SUCCEEDED:
        target.current_deployment = deployment
    target.save()
    return deployment


def make_rollback(of: Deployment, *, status: str = Status.SUCCEEDED, **fields: Any) -> Deployment:
    """The rollback of a deployment, to what it replaced."""
    back = of.replaces.artifact if of.replaces else None
    return make_deployment(
        of.target, back.version if back else "none", status=status, rolls_back=of, **fields
    )


def make_instances(
    target: Target,
    version: str,
    *keys: str,
    members: Sequence[dict[str, Any]] | None = None,
    **fields: Any,
) -> list[Instance]:
    """Healthy ones, unless told otherwise."""
    told = {"is_healthy": True, **fields}
    made = [
        Instance(target=target, key=key, version=version, seen_at=timezone.now(), **told)
        for key in keys
    ]
    for each in made:
        each.take(members)
    return Instance.objects.bulk_create(made)


def make_members(
    count: int, version: str = "1.4.2", /, **of_the_first: Any
) -> list[dict[str, Any]]:
    """The pods of a workload, all healthy but perhaps the first."""
    fine = {"version": version, "is_healthy": True, "message": ""}
    pods = [{"name": f"web-7d9fbc6c4-{n:05}", **fine} for n in range(count)]
    return [{**pods[0], **of_the_first}, *pods[1:]]


def make_step(
    deployment: Deployment,
    name: str = "Install",
    *,
    phase: str = "All hosts",
    status: str = "SUCCEEDED",
    outcomes: dict[str, Any] | None = None,
    lines: Sequence[str] = (),
    instances: Sequence[str] = (),
    message: str = "",
) -> Step:
    """One step, in the phase of this name."""
    began = deployment.started_at
    found, _ = Phase.objects.get_or_create(
        deployment=deployment,
        name=phase,
        defaults={
            "position": deployment.phases.count(),
            "direction": "BACK" if deployment.is_rollback else "FORWARD",
            "instances": list(instances),
        },
    )
    step = Step.objects.create(
        phase=found,
        position=found.steps.count(),
        name=name,
        kind="install",
        status=status,
        message=message,
        outcomes=outcomes or {},
        attempts=1,
        started_at=None if status in ("QUEUED", "SKIPPED") else began,
        finished_at=deployment.finished_at if status in ("SUCCEEDED", "FAILED") else None,
    )
    LogLine.objects.bulk_create(
        LogLine(step=step, instance="web-1", at=timezone.now(), text=line) for line in lines
    )
    return step
