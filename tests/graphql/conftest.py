"""The door with the sample schema behind it, and people who knock."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts import keys
from accounts.models import User
from accounts.vocabulary import AccountPermission
from dashboard.graphql import view
from dashboard.graphql.schema import Schema, merged
from tests.graphql import sample
from tests.pages import factories

URL = "/graphql"


@dataclass
class Caller:
    """Sends requests as one person, a program or a stranger."""

    client: Client
    headers: dict[str, str]

    def post(self, query: str, variables: object = None, **more: Any) -> Any:
        body = {"query": query, "variables": variables, **more}
        return self.client.post(URL, body, content_type="application/json", headers=self.headers)

    def ask(self, query: str, variables: object = None) -> Any:
        """The parsed answer of a request that is answered."""
        answer = self.post(query, variables)
        assert answer.status_code == 200, answer.content
        return answer.json()

    def refused(self, query: str, variables: object = None) -> Any:
        """The only error of the answer."""
        (error,) = self.ask(query, variables)["errors"]
        return error


@pytest.fixture(scope="session")
def schema() -> Schema:
    return merged(["tests.graphql.sample"])


@pytest.fixture(autouse=True)
def _sample(db: None, monkeypatch: pytest.MonkeyPatch, schema: Schema) -> None:
    monkeypatch.setattr(view, "SCHEMA", schema)
    sample.done.clear()


@pytest.fixture
def people() -> dict[str, User]:
    """`viewer` holds no account permission; `keeper` manages API keys; `auditor` views audits."""
    keepers = factories.make_group("Keepers", account=[AccountPermission.MANAGE_API_KEYS])
    auditors = factories.make_group("Auditors", account=[AccountPermission.VIEW_AUDITS])
    return {
        "viewer": factories.make_person("viewer"),
        "keeper": factories.make_person("keeper", keepers),
        "auditor": factories.make_person("auditor", auditors),
    }


As = Callable[[str], Caller]


@pytest.fixture
def caller(people: dict[str, User]) -> As:
    """A person who is signed in."""

    def signed_in(name: str) -> Caller:
        client = Client()
        client.force_login(people[name])
        return Caller(client, {})

    return signed_in


@pytest.fixture
def viewer(caller: As) -> Caller:
    return caller("viewer")


@pytest.fixture
def program(people: dict[str, User]) -> Caller:
    """Sends a key without any permission; checks of CSRF are on."""
    key, text = keys.draft("deploy bot", people["keeper"], timezone.now(), None)
    key.user.save()
    key.save()
    return Caller(Client(enforce_csrf_checks=True), {"x-api-key": text})


@pytest.fixture
def stranger() -> Caller:
    return Caller(Client(enforce_csrf_checks=True), {})
