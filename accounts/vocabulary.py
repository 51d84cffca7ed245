"""Every permission has one name, and it is here; a permission is never a bare string elsewhere."""

from django.db.models import TextChoices


class AccountPermission(TextChoices):
    """What a group may do across the account; values are the API's enum values."""

    MANAGE_APPLICATIONS = "CREATE_AND_DELETE_APPLICATION", "Manage Applications"
    READ_USERS_AND_GROUPS = "READ_USERS_AND_GROUPS", "View Users and User Groups"
    MANAGE_USERS_AND_GROUPS = "MANAGE_USERS_AND_GROUPS", "Manage Users and Groups"
    MANAGE_DEPLOYMENT_FREEZES = "MANAGE_DEPLOYMENT_FREEZES", "Manage Deployment Freezes"
    ALLOW_DEPLOYMENTS_DURING_FREEZE = (
        "ALLOW_DEPLOYMENTS_DURING_FREEZE",
        "Allow Deployments During Freeze",
    )
    VIEW_AUDITS = "VIEW_AUDITS", "View Audit Trail"


class PermissionType(TextChoices):
    """What kind of thing an application permission is about."""

    ALL = "ALL", "All Permission Types"
    SERVICE = "SERVICE", "Services"
    ENV = "ENV", "Environments"
    WORKFLOW = "WORKFLOW", "Workflows"
    DEPLOYMENT = "DEPLOYMENT", "Deployments"


class Action(TextChoices):
    """What an application permission lets its group do."""

    CREATE = "CREATE", "Create"
    READ = "READ", "Read"
    UPDATE = "UPDATE", "Update"
    DELETE = "DELETE", "Delete"
    EXECUTE_WORKFLOW = "EXECUTE_WORKFLOW", "Execute Workflow"
    EXECUTE_PIPELINE = "EXECUTE_PIPELINE", "Execute Pipeline"
    ROLLBACK_WORKFLOW = "ROLLBACK_WORKFLOW", "Rollback Workflow"
    ABORT_WORKFLOW = "ABORT_WORKFLOW", "Abort Workflow"


_CRUD = frozenset({Action.CREATE, Action.READ, Action.UPDATE, Action.DELETE})
ACTIONS_OF_TYPE: dict[str, frozenset[Action]] = {
    PermissionType.ALL: frozenset(Action),
    PermissionType.SERVICE: _CRUD,
    PermissionType.ENV: _CRUD,
    PermissionType.WORKFLOW: _CRUD,
    PermissionType.DEPLOYMENT: frozenset(Action) - _CRUD | {Action.READ},
}


class Right(TextChoices):
    """An object permission on one environment (django-guardian's codenames)."""

    VIEW_DEPLOYMENTS = "view_deployments", "View deployments"
    EXECUTE_WORKFLOW = "execute_workflow", "Execute Workflow"
    ROLLBACK_WORKFLOW = "rollback_workflow", "Rollback Workflow"
    ABORT_WORKFLOW = "abort_workflow", "Abort Workflow"


# Reference 3.5: every action on deployments includes looking at them; Execute Workflow includes
# pausing and aborting what it may start, and does not include rolling back.
RIGHTS_OF_ACTION: dict[Action, frozenset[Right]] = {
    Action.READ: frozenset({Right.VIEW_DEPLOYMENTS}),
    Action.EXECUTE_PIPELINE: frozenset({Right.VIEW_DEPLOYMENTS}),
    Action.EXECUTE_WORKFLOW: frozenset(
        {Right.VIEW_DEPLOYMENTS, Right.EXECUTE_WORKFLOW, Right.ABORT_WORKFLOW}
    ),
    Action.ROLLBACK_WORKFLOW: frozenset({Right.VIEW_DEPLOYMENTS, Right.ROLLBACK_WORKFLOW}),
    Action.ABORT_WORKFLOW: frozenset({Right.VIEW_DEPLOYMENTS, Right.ABORT_WORKFLOW}),
}
