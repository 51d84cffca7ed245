"""Every permission has one name, and it is here; a permission is never a bare string elsewhere.

The values are the ones the field's API uses (reference 3.2, 3.3); the labels are its words.
"""

from django.db.models import TextChoices


class AccountPermission(TextChoices):
    """What a group may do across the account."""

    MANAGE_APPLICATIONS = "CREATE_AND_DELETE_APPLICATION", "Manage Applications"
    READ_USERS_AND_GROUPS = "READ_USERS_AND_GROUPS", "View Users and User Groups"
    MANAGE_USERS_AND_GROUPS = "MANAGE_USERS_AND_GROUPS", "Manage Users and Groups"
    MANAGE_TEMPLATE_LIBRARY = "MANAGE_TEMPLATE_LIBRARY", "Manage Template Library"
    ADMINISTER_OTHER_ACCOUNT_FUNCTIONS = (
        "ADMINISTER_OTHER_ACCOUNT_FUNCTIONS",
        "Administer Other Account Functions",
    )
    VIEW_AUDITS = "VIEW_AUDITS", "View Audit Trail"
    CREATE_CUSTOM_DASHBOARDS = "CREATE_CUSTOM_DASHBOARDS", "Create Custom Dashboards"
    MANAGE_CUSTOM_DASHBOARDS = "MANAGE_CUSTOM_DASHBOARDS", "Manage Custom Dashboards"
    MANAGE_TAGS = "MANAGE_TAGS", "Manage Tags"
    MANAGE_CONFIG_AS_CODE = "MANAGE_CONFIG_AS_CODE", "Manage Config as Code"
    MANAGE_CLOUD_PROVIDERS = "MANAGE_CLOUD_PROVIDERS", "Manage Cloud Providers"
    MANAGE_CONNECTORS = "MANAGE_CONNECTORS", "Manage Connectors"
    MANAGE_APPLICATION_STACKS = "MANAGE_APPLICATION_STACKS", "Manage Application Stacks"
    MANAGE_ALERT_NOTIFICATION_RULES = (
        "MANAGE_ALERT_NOTIFICATION_RULES",
        "Manage Alert Notification Rules",
    )
    MANAGE_SECRET_MANAGERS = "MANAGE_SECRET_MANAGERS", "Manage Secrets Managers"
    MANAGE_SECRETS = "MANAGE_SECRETS", "Manage Secrets"
    MANAGE_AUTHENTICATION_SETTINGS = (
        "MANAGE_AUTHENTICATION_SETTINGS",
        "Manage Authentication Settings",
    )
    MANAGE_IP_WHITELIST = "MANAGE_IP_WHITELIST", "Manage IP Whitelist"
    MANAGE_API_KEYS = "MANAGE_API_KEYS", "Manage API Keys"
    VIEW_CE = "VIEW_CE", "CE Viewer"
    MANAGE_PIPELINE_GOVERNANCE_STANDARDS = (
        "MANAGE_PIPELINE_GOVERNANCE_STANDARDS",
        "Manage Pipeline Governance Standards",
    )
    MANAGE_DEPLOYMENT_FREEZES = "MANAGE_DEPLOYMENT_FREEZES", "Manage Deployment Freezes"
    ALLOW_DEPLOYMENTS_DURING_FREEZE = (
        "ALLOW_DEPLOYMENTS_DURING_FREEZE",
        "Allow Deployments During Freeze",
    )
    MANAGE_DELEGATES = "MANAGE_DELEGATES", "Manage Delegates"
    MANAGE_DELEGATE_PROFILES = "MANAGE_DELEGATE_PROFILES", "Manage Delegate Profiles"
    MANAGE_SSH_AND_WINRM = "MANAGE_SSH_AND_WINRM", "Manage SSH and WinRM Connection"
    MANAGE_RESTRICTED_ACCESS = "MANAGE_RESTRICTED_ACCESS", "Manage Restricted Access"


# What Lastgood itself asks for; the others are kept for the field's API and open no door here.
ASKED_FOR = frozenset(
    {
        AccountPermission.MANAGE_APPLICATIONS,
        AccountPermission.READ_USERS_AND_GROUPS,
        AccountPermission.MANAGE_USERS_AND_GROUPS,
        AccountPermission.ADMINISTER_OTHER_ACCOUNT_FUNCTIONS,
        AccountPermission.VIEW_AUDITS,
        AccountPermission.MANAGE_CONNECTORS,
        AccountPermission.MANAGE_API_KEYS,
        AccountPermission.MANAGE_DEPLOYMENT_FREEZES,
        AccountPermission.ALLOW_DEPLOYMENTS_DURING_FREEZE,
    }
)
# Whoever has the first must have the second in the same group (reference 3.2).
NEEDS_TOO = {AccountPermission.MANAGE_USERS_AND_GROUPS: AccountPermission.READ_USERS_AND_GROUPS}


class PermissionType(TextChoices):
    """What kind of thing an application permission is about."""

    ALL = "ALL", "All Permission Types"
    SERVICE = "SERVICE", "Services"
    ENV = "ENV", "Environments"
    WORKFLOW = "WORKFLOW", "Workflows"
    PIPELINE = "PIPELINE", "Pipelines"
    PROVISIONER = "PROVISIONER", "Provisioners"
    DEPLOYMENT = "DEPLOYMENT", "Deployments"
    TEMPLATE = "TEMPLATE", "Application Templates"


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


CRUD = frozenset({Action.CREATE, Action.READ, Action.UPDATE, Action.DELETE})
ACTIONS_OF_TYPE: dict[str, frozenset[Action]] = {
    PermissionType.ALL: frozenset(Action),
    PermissionType.SERVICE: CRUD,
    PermissionType.ENV: CRUD,
    PermissionType.WORKFLOW: CRUD,
    PermissionType.PIPELINE: CRUD,
    PermissionType.PROVISIONER: CRUD,
    PermissionType.DEPLOYMENT: frozenset(Action) - CRUD | {Action.READ},
    PermissionType.TEMPLATE: CRUD,
}
# Types whose rows are filtered by environments; of the others SERVICE may choose services.
BY_ENVIRONMENT = frozenset(
    {
        PermissionType.ENV,
        PermissionType.WORKFLOW,
        PermissionType.PIPELINE,
        PermissionType.DEPLOYMENT,
    }
)


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
# The same among actions: what holding one of them on deployments includes of the others.
INCLUDES: dict[Action, frozenset[Action]] = {
    action: frozenset(
        {action}
        | {other for other, of_other in RIGHTS_OF_ACTION.items() if of_other <= rights}
        - {Action.EXECUTE_PIPELINE}
    )
    for action, rights in RIGHTS_OF_ACTION.items()
}


class Verb(TextChoices):
    """What an audit row says happened."""

    GROUP_CREATED = "GROUP_CREATED", "User group created"
    GROUP_CHANGED = "GROUP_CHANGED", "User group changed"
    GROUP_DELETED = "GROUP_DELETED", "User group deleted"
    MEMBERS_CHANGED = "MEMBERS_CHANGED", "Members changed"
    PERMISSIONS_CHANGED = "PERMISSIONS_CHANGED", "Permissions changed"
    ROLLBACK_ADDED = "ROLLBACK_ADDED", "Rollback Workflow added by the upgrade"
    ROLLBACK_TAKEN_BACK = "ROLLBACK_TAKEN_BACK", "Rollback Workflow taken back by the downgrade"
    NOTICE_READ = "NOTICE_READ", "Notice read"
    GRANTS_CHANGED = "GRANTS_CHANGED", "Permissions changed with the catalogue"
    GRANTS_REBUILT = "GRANTS_REBUILT", "Object permissions rebuilt"
    USER_CREATED = "USER_CREATED", "User created"
    USER_CHANGED = "USER_CHANGED", "User changed"
    USER_DEACTIVATED = "USER_DEACTIVATED", "User deactivated"
    USER_REACTIVATED = "USER_REACTIVATED", "User reactivated"
    USER_DELETED = "USER_DELETED", "User deleted"
    PASSWORD_CHANGED = "PASSWORD_CHANGED", "Password changed"
    KEY_CREATED = "KEY_CREATED", "API key created"
    KEY_CHANGED = "KEY_CHANGED", "API key changed"
    KEY_REVOKED = "KEY_REVOKED", "API key revoked"
    ROLLBACK_REQUESTED = "ROLLBACK_REQUESTED", "Rollback requested"
    EXECUTION_REQUESTED = "EXECUTION_REQUESTED", "Execution requested"
    ABORT_REQUESTED = "ABORT_REQUESTED", "Abort requested"
    RESUME_REQUESTED = "RESUME_REQUESTED", "Resume requested"
    INTERVENTION = "INTERVENTION", "Failed step decided upon"
    RIGHT_LOST = "RIGHT_LOST", "Stopped because a right was lost"
    FLAG_SWITCHED = "FLAG_SWITCHED", "Feature flag switched"
    REFUSED = "REFUSED", "Refused"
