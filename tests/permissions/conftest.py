"""Two applications with environments, and people who administer."""

from dataclasses import dataclass

import pytest

from accounts.models import User, UserGroup
from accounts.vocabulary import AccountPermission, Action
from dashboard.models import Application, Environment, Service
from tests.scene import group, person

ADMINISTERING = (
    AccountPermission.READ_USERS_AND_GROUPS,
    AccountPermission.MANAGE_USERS_AND_GROUPS,
    AccountPermission.MANAGE_API_KEYS,
)


@dataclass
class Account:
    """`admin` administers, and may look and roll back in Shop; `member` may look."""

    shop: Application
    bank: Application
    production: Environment
    staging: Environment
    vault: Environment
    service: Service
    admins: UserGroup
    viewers: UserGroup
    admin: User
    member: User


@pytest.fixture
def account(db: None) -> Account:
    return make_account()


def make_account() -> Account:
    """Nothing is recorded of it, and there is nobody else."""
    UserGroup.objects.all().delete()
    shop, bank = (Application.objects.create(name=name) for name in ("Shop", "Bank"))
    production, staging, vault = (
        make_environment(shop, "production"),
        make_environment(shop, "staging", "NON_PRODUCTION"),
        make_environment(bank, "vault"),
    )
    actions = (Action.READ, Action.ROLLBACK_WORKFLOW)
    admins = group("Admins", *actions, account=ADMINISTERING, applications=[shop])
    viewers = group("Viewers", Action.READ, applications=[shop])
    return Account(
        shop=shop,
        bank=bank,
        production=production,
        staging=staging,
        vault=vault,
        service=Service.objects.create(application=shop, name="storefront", deployment_type="SSH"),
        admins=admins,
        viewers=viewers,
        admin=person("admin", admins),
        member=person("member", viewers),
    )


def make_environment(application: Application, name: str, kind: str = "PRODUCTION") -> Environment:
    return Environment.objects.create(application=application, name=name, environment_type=kind)
