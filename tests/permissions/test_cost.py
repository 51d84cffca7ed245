"""What a page costs does not grow with groups, rows or environments."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from accounts.vocabulary import Action
from dashboard.models import Service
from tests.pages import factories
from tests.scene import group, person

pytestmark = pytest.mark.django_db
MOST = 12


def reader(count: int) -> tuple[User, Service]:
    """In so many groups, each with a row for one of as many environments of a service."""
    service = factories.make_service()
    groups = []
    for number in range(count):
        environment = factories.make_environment(f"production {number}")
        target = factories.make_target(service, environment)
        factories.make_deployment(target, "1.4.1")
        factories.make_deployment(target, "1.4.2")
        actions = (Action.READ, Action.ROLLBACK_WORKFLOW)
        groups.append(group(f"group {number}", *actions, environments=[environment]))
    return person("reader", *groups), service


def cost(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert client.get(url).status_code == 200
    return len(asked)


def costs(count: int) -> dict[str, int]:
    who, service = reader(count)
    client = Client()
    client.force_login(who)
    urls = {"services": "/", "service": f"/services/{service.pk}/", "deployments": "/deployments/"}
    client.get("/")  # what is asked only once per process
    return {name: cost(client, url) for name, url in urls.items()}


def test_pages_cost_the_same_for_1_and_for_30_groups_rows_and_environments() -> None:
    one = costs(1)
    User.objects.filter(username="reader").update(username="another")
    Service.objects.update(name="another")
    for owner in User.objects.get(username="another").groups.all():
        owner.name = f"former {owner.name}"
        owner.save()
    assert costs(30) == one
    assert max(one.values()) <= MOST, one
