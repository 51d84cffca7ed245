"""API keys in the admin: shown once, changed, revoked."""

from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounts import administration, keys
from accounts.models import ApiKey, AuditEvent, User, UserGroup
from accounts.vocabulary import AccountPermission
from tests.administering.conftest import address, errors, shown, verbs
from tests.scene import Scene, group

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewers(shop: Scene) -> UserGroup:
    return UserGroup.objects.get(name="Viewers")


@pytest.fixture
def key(admin: User, viewers: UserGroup) -> ApiKey:
    made, _ = administration.create_key("ci", [viewers], by=admin, now=timezone.now())
    return made


def test_the_key_is_shown_once_in_the_answer_itself(
    page: Client, viewers: UserGroup, caplog: Any
) -> None:
    fields = {"name": "ci", "groups": [viewers.pk]}

    answer = page.post(address(ApiKey, "add"), fields)

    assert answer.status_code == 200
    text = answer.context["key"].text
    assert text in answer.text
    assert "Copy it now; it is not kept" in answer.text
    assert "no-store" in answer.headers["Cache-Control"]
    made = ApiKey.objects.get()
    assert keys.holder(text, timezone.now()) == made.user
    assert not list(get_messages(answer.wsgi_request))
    secret = text.rpartition("_")[2]
    assert secret not in str(answer.cookies)
    assert not any(secret in str(session.get_decoded()) for session in Session.objects.all())
    assert secret not in caplog.text
    assert not any(secret in str(event.__dict__) for event in AuditEvent.objects.all())
    assert secret not in page.get(address(made)).text
    again = page.post(address(ApiKey, "add"), fields)
    assert "already" in errors(again)["name"], "reloading the page makes no second key"


def test_a_key_needs_a_group_one_holds(page: Client, shop: Scene) -> None:
    auditors = group("Auditors", account=[AccountPermission.VIEW_AUDITS])
    none = page.post(address(ApiKey, "add"), {"name": "ci"})
    more = page.post(address(ApiKey, "add"), {"name": "ci", "groups": [auditors.pk]})
    assert "at least one user group" in errors(none)["groups"]
    assert "View Audit Trail" in errors(more)["groups"]
    assert not ApiKey.objects.exists()


def test_an_end_in_the_past_is_refused(page: Client, viewers: UserGroup) -> None:
    fields = {
        "name": "ci",
        "groups": [viewers.pk],
        "expires_at_0": "2020-01-01",
        "expires_at_1": "00:00",
    }
    assert "time to come" in errors(page.post(address(ApiKey, "add"), fields))["expires_at"]


def test_groups_and_end_are_changed(page: Client, key: ApiKey) -> None:
    engineers = UserGroup.objects.get(name="Engineers")
    fields = {
        "groups": [engineers.pk],
        "expires_at_0": "2099-01-01",
        "expires_at_1": "00:00",
    }
    response = page.post(address(key), fields)
    assert response.status_code == 302, errors(response)
    key.refresh_from_db()
    assert key.expires_at
    assert key.expires_at.year == 2099
    assert [each.name for each in key.user.groups.all()] == ["Engineers"]
    assert verbs() == ["KEY_CREATED", "KEY_CHANGED"]


def test_revoking_asks_first_and_stays(page: Client, key: ApiKey) -> None:
    assert "cannot be taken back" in page.get(address(key, "revoke")).text
    page.post(address(key, "revoke"))
    key.refresh_from_db()
    assert key.revoked_at
    assert page.post(address(key), shown(page, address(key))).status_code == 403
    assert "revoked" in page.get(address(ApiKey, "changelist")).text
    assert verbs() == ["KEY_CREATED", "KEY_REVOKED"]


def test_the_list_says_what_one_asks(page: Client, key: ApiKey) -> None:
    text = page.get(address(ApiKey, "changelist")).text
    for each in ("ci", key.prefix, "Viewers", "admin", "valid"):
        assert each in text
    assert key.digest not in text
    assert key.digest not in page.get(address(key)).text
