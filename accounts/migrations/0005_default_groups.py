"""The groups an account begins with (reference 3.4, with Rollback Workflow as 3.6 leaves them)."""

from django.db import migrations

CRUD = ["CREATE", "DELETE", "READ", "UPDATE"]
EXECUTE = ["EXECUTE_PIPELINE", "EXECUTE_WORKFLOW", "ROLLBACK_WORKFLOW"]
ADMINISTRATOR = "Account Administrator"
SUPPORT = {"Production Support": "production", "Non-Production Support": "non_production"}
# All there are: nobody can give what they do not hold, so somebody has to begin with everything.
ACCOUNT = [
    "ADMINISTER_OTHER_ACCOUNT_FUNCTIONS",
    "ALLOW_DEPLOYMENTS_DURING_FREEZE",
    "CREATE_AND_DELETE_APPLICATION",
    "CREATE_CUSTOM_DASHBOARDS",
    "MANAGE_ALERT_NOTIFICATION_RULES",
    "MANAGE_API_KEYS",
    "MANAGE_APPLICATION_STACKS",
    "MANAGE_AUTHENTICATION_SETTINGS",
    "MANAGE_CLOUD_PROVIDERS",
    "MANAGE_CONFIG_AS_CODE",
    "MANAGE_CONNECTORS",
    "MANAGE_CUSTOM_DASHBOARDS",
    "MANAGE_DELEGATES",
    "MANAGE_DELEGATE_PROFILES",
    "MANAGE_DEPLOYMENT_FREEZES",
    "MANAGE_IP_WHITELIST",
    "MANAGE_PIPELINE_GOVERNANCE_STANDARDS",
    "MANAGE_RESTRICTED_ACCESS",
    "MANAGE_SECRETS",
    "MANAGE_SECRET_MANAGERS",
    "MANAGE_SSH_AND_WINRM",
    "MANAGE_TAGS",
    "MANAGE_TEMPLATE_LIBRARY",
    "MANAGE_USERS_AND_GROUPS",
    "READ_USERS_AND_GROUPS",
    "VIEW_AUDITS",
    "VIEW_CE",
]


def create(apps, schema_editor):
    """Those that no group has the name of yet; nobody is in them."""
    groups = apps.get_model("accounts", "UserGroup").objects
    names = set(groups.values_list("name", flat=True))
    if ADMINISTRATOR not in names:
        group = groups.create(
            name=ADMINISTRATOR,
            public_id=_public_id(),
            description="Everything, everywhere",
            account_permissions=ACCOUNT,
        )
        group.app_permissions.create(
            permission_type="ALL",
            actions=sorted([*CRUD, *EXECUTE]),
            all_applications=True,
            everything=True,
        )
    for name, kind in SUPPORT.items():
        if name not in names:
            _create_support(groups, name, kind)


def _public_id():
    from accounts.models import group_id

    return group_id()


def _create_support(groups, name, kind):
    words = kind.replace("_", "-")
    group = groups.create(
        name=name,
        public_id=_public_id(),
        description=f"Edits and executes in {words} environments; rolls back with Manage Applications",
    )
    by_type = {"all_applications": True, kind: True}
    everything = {"all_applications": True, "everything": True}
    for permission_type, actions, reach in (
        ("PIPELINE", CRUD, by_type),
        ("SERVICE", CRUD, everything),
        ("PROVISIONER", CRUD, everything),
        ("ENV", CRUD, by_type),
        ("WORKFLOW", CRUD, {**by_type, "templates": True}),
        ("DEPLOYMENT", sorted(["READ", *EXECUTE]), by_type),
    ):
        group.app_permissions.create(permission_type=permission_type, actions=actions, **reach)


class Migration(migrations.Migration):

    dependencies = [
        ("accounts", "0004_rollback_workflow_for_who_executes"),
    ]

    # They stay when this is taken back: people may be in them.
    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
