"""What a fresh account begins with."""

from importlib import import_module

import pytest
from django.apps import apps

from accounts import grants, policy
from accounts.models import AuditEvent, UserGroup
from accounts.vocabulary import AccountPermission, Right
from dashboard.models import Environment
from tests.scene import person, scene

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def seeded(db: None) -> None:
    """The migration's groups, also after a test of this process has emptied its tables."""
    import_module("accounts.migrations.0005_default_groups").create(apps, None)


def test_A28_only_the_account_administrator_may_roll_back() -> None:
    production = scene().environment
    staging = Environment.objects.create(
        application=production.application, name="staging", environment_type="NON_PRODUCTION"
    )
    support = person("support", UserGroup.objects.get(name="Production Support"))
    other = person("other", UserGroup.objects.get(name="Non-Production Support"))
    admin = person("admin", UserGroup.objects.get(name="Account Administrator"))

    assert not policy.may_roll_back(support, production)
    assert policy.may(support, Right.ROLLBACK_WORKFLOW, production)
    assert not policy.may(support, Right.ROLLBACK_WORKFLOW, staging)
    assert policy.may(other, Right.ROLLBACK_WORKFLOW, staging)
    assert not policy.may(other, Right.VIEW_DEPLOYMENTS, production)
    assert policy.may_roll_back(admin, production)
    assert policy.may_roll_back(admin, staging)
    assert not grants.difference()


def test_the_account_administrator_holds_all_there_is_to_give() -> None:
    held = UserGroup.objects.get(name="Account Administrator").permissions_held

    assert held.account == frozenset(AccountPermission)
    for group in UserGroup.objects.all():
        given = group.permissions_held
        assert not given.beyond(held, grants.catalogue_of(given.rows))


def test_a_fresh_account_has_nothing_to_announce() -> None:
    assert not AuditEvent.objects.exists()
