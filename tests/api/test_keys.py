"""API keys by the API."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.models import ApiKey, AuditEvent, User, UserGroup
from accounts.vocabulary import AccountPermission
from tests.api.callers import act, data, signed_in, with_key
from tests.graphql.conftest import Caller
from tests.scene import Scene, group, person

KEYS = """{ apiKeys { nodes {
  uuid name createdAt expiresAt revokedAt lastUsedAt userGroups { nodes { name } }
} } }"""


def created(api: Caller, **sent: Any) -> Any:
    viewers = UserGroup.objects.get(name="Viewers")
    sent = {"name": "ci", "userGroupIds": [viewers.public_id], **sent}
    return data(act(api, "createApiKey", "uuid name key clientMutationId", **sent), "createApiKey")


def test_the_text_of_a_key_is_answered_once_and_lets_in(
    api: Caller, admin: User, caplog: Any
) -> None:
    made = created(api, accountId="ignored")
    assert made["key"].startswith(f"lgk_{made['uuid']}_")
    assert made["clientMutationId"] == "7"
    assert with_key(made["key"]).ask("{ viewer { name } }")["data"]["viewer"]["name"]
    secret = made["key"].rpartition("_")[2]
    assert secret not in str(api.ask(KEYS))
    assert secret not in caplog.text
    assert not any(secret in str(event.__dict__) for event in AuditEvent.objects.all())
    (shown,) = data(api.ask(KEYS), "apiKeys")["nodes"]
    assert shown["userGroups"]["nodes"] == [{"name": "Viewers"}]
    assert shown["createdAt"] > 1_700_000_000_000
    assert shown["lastUsedAt"]
    assert (shown["expiresAt"], shown["revokedAt"]) == (None, None)


def test_a_key_gets_other_groups_and_another_end(api: Caller) -> None:
    made = created(api)
    engineers = UserGroup.objects.get(name="Engineers")
    end = int((timezone.now() + timedelta(days=1)).timestamp() * 1000)
    changes: list[dict[str, Any]] = [
        {"userGroupIds": [engineers.public_id]},
        {"expiresAt": end},
        {"expiresAt": None},
    ]
    shown = [
        data(act(api, "updateApiKey", "apiKey { expiresAt userGroups { nodes { name } } }",
                 uuid=made["uuid"], **change), "updateApiKey")["apiKey"]
        for change in changes
    ]  # fmt: skip
    assert [each["expiresAt"] for each in shown] == [None, end, None]
    assert all(each["userGroups"]["nodes"] == [{"name": "Engineers"}] for each in shown)


def test_a_deleted_key_stays_on_record(api: Caller) -> None:
    made = created(api)
    data(act(api, "deleteApiKey", uuid=made["uuid"]), "deleteApiKey")
    assert with_key(made["key"]).post("{ viewer { name } }").status_code == 401
    assert data(api.ask(KEYS), "apiKeys")["nodes"][0]["revokedAt"]
    answer = act(api, "updateApiKey", uuid=made["uuid"], expiresAt=None)
    assert "revoked" in answer["errors"][0]["message"]


def test_what_is_wrong_with_a_new_key_is_told(api: Caller) -> None:
    for sent, path in (
        ({"name": ""}, "name"),
        ({"userGroupIds": []}, "userGroupIds"),
        ({"userGroupIds": ["AAAAAAAAAAAAAAAAAAAAAA"]}, "userGroupIds"),
        ({"expiresAt": 1_000}, "expiresAt"),
    ):
        viewers = UserGroup.objects.get(name="Viewers").public_id
        answer = act(api, "createApiKey", **{"name": "ci", "userGroupIds": [viewers], **sent})
        (problem,) = answer["errors"][0]["extensions"]["problems"]
        assert problem["path"] == ["input", path]
    assert not ApiKey.objects.exists()


def test_nobody_makes_a_key_that_may_more_than_they_may(shop: Scene) -> None:
    makers = group("Makers", account=[AccountPermission.MANAGE_API_KEYS])
    api = signed_in(person("maker", makers))
    engineers = UserGroup.objects.get(name="Engineers")
    answer = act(api, "createApiKey", name="ci", userGroupIds=[engineers.public_id])
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert not ApiKey.objects.exists()
