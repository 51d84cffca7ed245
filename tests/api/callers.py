"""Who calls the API in tests: a person with a session, or a program with a key."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.test import Client
from django.utils import timezone

from accounts import administration, policy
from accounts.models import AuditEvent, User, UserGroup
from accounts.vocabulary import AccountPermission
from tests.graphql.conftest import URL, Caller
from tests.scene import group, person

BRIEF = (Path(__file__).parents[1] / "acceptance" / "brief.graphql").read_text()
BRIEF_GROUP = "Gh9IDnVrQOSjckFbk_NJWg"


def signed_in(user: User) -> Caller:
    """With a session and the token a browser sends; checks of CSRF are on."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    client.get(URL, headers={"accept": "text/html"})
    return Caller(client, {"X-CSRFToken": client.cookies["csrftoken"].value})


def program(name: str, *groups: UserGroup) -> Caller:
    """With a key that has the rights of these groups."""
    _, text = administration.create_key(name, groups, by=None, now=timezone.now())
    return with_key(text)


def with_key(text: str) -> Caller:
    return Caller(Client(enforce_csrf_checks=True), {"x-api-key": text})


def administrator() -> User:
    """Holds everything through a group, as people do; no superuser."""
    holders = group("Administrators")
    administration.set_permissions(holders, policy.EVERYTHING, by=None)
    return person("admin", holders)


def brief_group(*account: AccountPermission) -> UserGroup:
    """The group the brief's call is about."""
    made = group("On call", account=account)
    UserGroup.objects.filter(pk=made.pk).update(public_id=BRIEF_GROUP)
    return UserGroup.objects.get(pk=made.pk)


def data(answer: Mapping[str, Any], field: str) -> Any:
    """What the field answers; nothing was refused."""
    assert "errors" not in answer, answer
    return answer["data"][field]


def verbs() -> list[str]:
    """What was recorded, the oldest first, but for what the scene itself changed."""
    events = AuditEvent.objects.exclude(verb="GRANTS_CHANGED").order_by("number")
    return list(events.values_list("verb", flat=True))


def without_nulls(shown: Any) -> Any:
    """As it would be sent: what is null was not written."""
    if isinstance(shown, dict):
        return {name: without_nulls(each) for name, each in shown.items() if each is not None}
    return [without_nulls(each) for each in shown] if isinstance(shown, list) else shown


def act(api: Caller, mutation: str, payload: str = "clientMutationId", /, **sent: Any) -> Any:
    """The answer of a mutation whose input is this, and the clientMutationId 7."""
    kind = mutation[0].upper() + mutation[1:]
    query = f"mutation($input: {kind}Input!) {{ {mutation}(input: $input) {{ {payload} }} }}"
    return api.ask(query, {"input": {**sent, "clientMutationId": "7"}})
