"""The upgrade that gives Rollback Workflow to who had Execute Workflow, run as a migration."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from accounts import administration, audit, grants, policy, upgrades
from accounts.models import AppPermission, AuditEvent, User, UserGroup
from accounts.rows import Permissions
from accounts.vocabulary import Action, Right, Verb
from dashboard.models import Application, Environment
from tests.scene import group, person

pytestmark = pytest.mark.django_db(transaction=True)
BEFORE, AFTER = "0003_people_rows_keys_audit", "0004_rollback_workflow_for_who_executes"


def migrate(name: str) -> None:
    executor = MigrationExecutor(connection)
    executor.migrate([("accounts", name)])


@pytest.fixture
def before() -> Iterator[None]:
    """As it was before the upgrade; the newest state again afterwards."""
    migrate(BEFORE)
    yield
    executor = MigrationExecutor(connection)
    executor.migrate([node for node in executor.loader.graph.leaf_nodes() if node[0] == "accounts"])


def environment(application: str, name: str, kind: str) -> Environment:
    owner, _ = Application.objects.get_or_create(name=application)
    return Environment.objects.create(application=owner, name=name, environment_type=kind)


def actions_of(of: UserGroup) -> set[str]:
    return set(AppPermission.objects.get(user_group=of).actions)


@pytest.mark.usefixtures("before")
def test_A27_who_executes_may_roll_back_there_and_an_administrator_takes_it_away_for_good() -> None:
    here, there = environment("P", "X", "PRODUCTION"), environment("P", "Y", "PRODUCTION")
    elsewhere = environment("Q", "X", "PRODUCTION")
    p = here.application
    executes = group("Executes", Action.EXECUTE_WORKFLOW, applications=[p], environments=[here])
    reads = group("Reads", Action.READ)
    erin = person("erin", executes)

    migrate(AFTER)

    assert actions_of(executes) == {"EXECUTE_WORKFLOW", "ROLLBACK_WORKFLOW"}
    assert actions_of(reads) == {"READ"}
    assert policy.may(erin, Right.ROLLBACK_WORKFLOW, here)
    assert not policy.may(erin, Right.ROLLBACK_WORKFLOW, there)
    assert not policy.may(erin, Right.ROLLBACK_WORKFLOW, elsewhere)
    assert not grants.difference()
    assert [event.subject for event in told()] == ["Executes"]
    assert list(audit.faults()) == []

    kept = executes.permissions_held.rows[0]
    without = Permissions(rows=(take_rollback_from(kept),))
    administration.set_permissions(executes, without, by=None)
    upgrades.add_rollback_workflow(apps)

    assert actions_of(UserGroup.objects.get(pk=executes.pk)) == {"EXECUTE_WORKFLOW"}
    assert not policy.may(User.objects.get(username="erin"), Right.ROLLBACK_WORKFLOW, here)


def take_rollback_from(row: Any) -> Any:
    from dataclasses import replace

    return replace(row, actions=row.actions - {Action.ROLLBACK_WORKFLOW})


def told() -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(verb=Verb.ROLLBACK_ADDED))


@pytest.mark.usefixtures("before")
def test_the_downgrade_takes_back_what_the_upgrade_added_and_nothing_else() -> None:
    place = environment("P", "X", "PRODUCTION")
    added = group("Added", Action.EXECUTE_WORKFLOW)
    had = group("Had", Action.EXECUTE_WORKFLOW, Action.ROLLBACK_WORKFLOW)

    migrate(AFTER)
    migrate(BEFORE)

    assert actions_of(added) == {"EXECUTE_WORKFLOW"}
    assert actions_of(had) == {"EXECUTE_WORKFLOW", "ROLLBACK_WORKFLOW"}
    assert not policy.may(person("a", added), Right.ROLLBACK_WORKFLOW, place)
    assert policy.may(person("h", had), Right.ROLLBACK_WORKFLOW, place)
    assert not grants.difference()

    migrate(AFTER)

    assert actions_of(added) == {"EXECUTE_WORKFLOW", "ROLLBACK_WORKFLOW"}
    assert list(audit.faults()) == []


@pytest.mark.usefixtures("before")
def test_groups_made_later_do_not_get_it_by_executing() -> None:
    group("First", Action.EXECUTE_WORKFLOW)
    migrate(AFTER)

    later = group("Later", Action.EXECUTE_WORKFLOW)
    upgrades.add_rollback_workflow(apps)

    assert actions_of(later) == {"EXECUTE_WORKFLOW"}
