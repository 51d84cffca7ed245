"""What the upgrade did is told to administrators until they say they have read it."""

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse

from accounts import upgrades
from accounts.models import User, UserGroup
from accounts.vocabulary import Action
from tests.administering.conftest import SignIn, address, verbs
from tests.scene import Scene, group, person

NOTICE = "Rollback Workflow was added"


@pytest.fixture
def _upgraded(shop: Scene) -> None:
    group("Executors", Action.EXECUTE_WORKFLOW)
    upgrades.add_rollback_workflow(apps)


@pytest.mark.usefixtures("_upgraded")
def test_it_names_the_groups_until_it_is_read(page: Client, admin: User, sign_in: SignIn) -> None:
    other = person("second", UserGroup.objects.get(name="Administrators"))
    for place in (reverse("admin:index"), address(UserGroup, "changelist")):
        text = page.get(place).text
        assert NOTICE in text
        assert address(UserGroup.objects.get(name="Executors")) in text

    page.post(reverse("admin:notice_read"))
    page.post(reverse("admin:notice_read"))

    assert NOTICE not in page.get(reverse("admin:index")).text
    assert NOTICE in sign_in(other.username).get(reverse("admin:index")).text
    assert verbs().count("NOTICE_READ") == 1


@pytest.mark.usefixtures("_upgraded")
def test_a_group_that_is_gone_has_no_link(page: Client, admin: User) -> None:
    UserGroup.objects.get(name="Executors").delete()
    assert "Executors (no longer there)" in page.get(reverse("admin:index")).text


@pytest.mark.usefixtures("_upgraded")
def test_only_who_may_see_groups_is_told(sign_in: SignIn) -> None:
    assert NOTICE not in sign_in("engineer").get(reverse("admin:index")).text


def test_without_an_upgrade_nothing_is_said(page: Client) -> None:
    assert NOTICE not in page.get(reverse("admin:index")).text
