"""Groups that had Execute Workflow get Rollback Workflow too (accounts.upgrades)."""

from django.db import migrations

from accounts import upgrades


def add(apps, schema_editor):
    upgrades.add_rollback_workflow(apps)


def take_back(apps, schema_editor):
    upgrades.take_rollback_workflow_back(apps)


class Migration(migrations.Migration):

    dependencies = [
        ("accounts", "0003_people_rows_keys_audit"),
    ]

    operations = [migrations.RunPython(add, take_back)]
