"""Feature flags in the admin: off until somebody switches them on, and the trail says who."""

import pytest
from django.test import Client

from accounts.models import AuditEvent, User
from accounts.vocabulary import AccountPermission, Verb
from dashboard.models import FeatureFlag, Flag
from tests.administering.conftest import SignIn, address
from tests.scene import Scene, group, person

pytestmark = pytest.mark.django_db
ON = {"name": Flag.WINRM_ASG_ROLLBACK.value, "is_on": "on"}


@pytest.fixture
def keeper(shop: Scene, sign_in: SignIn) -> Client:
    """Holds the one permission that switches flags, and nothing else."""
    needed = AccountPermission.ADMINISTER_OTHER_ACCOUNT_FUNCTIONS
    person("keeper", group("Keepers", account=[needed]))
    return sign_in("keeper")


def test_a_flag_is_off_until_it_is_switched_on(keeper: Client) -> None:
    assert not FeatureFlag.is_switched_on(Flag.WINRM_ASG_ROLLBACK)
    assert keeper.post(address(FeatureFlag, "add"), ON).status_code == 302
    assert FeatureFlag.is_switched_on(Flag.WINRM_ASG_ROLLBACK)
    flag = FeatureFlag.objects.get()
    assert keeper.post(address(flag), {}).status_code == 302
    assert not FeatureFlag.is_switched_on(Flag.WINRM_ASG_ROLLBACK)
    told = AuditEvent.objects.filter(verb=Verb.FLAG_SWITCHED).order_by("number")
    assert [(each.actor, each.subject, each.before, each.after) for each in told] == [
        (User.objects.get(username="keeper"), flag.name, {"is_on": was}, {"is_on": not was})
        for was in (False, True)
    ]


def test_who_may_edit_everything_else_may_not_switch_flags(shop: Scene, sign_in: SignIn) -> None:
    others = [
        each
        for each in AccountPermission
        if each != AccountPermission.ADMINISTER_OTHER_ACCOUNT_FUNCTIONS
    ]
    person("other", group("Others", account=others))
    assert sign_in("other").post(address(FeatureFlag, "add"), ON).status_code == 403
    assert not FeatureFlag.objects.exists()
