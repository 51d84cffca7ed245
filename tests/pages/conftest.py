"""A shop with people around it, and clients that are signed in."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from django.test import Client

from accounts.models import User
from dashboard.models import Deployment, Service, Target
from tests.pages import factories


@dataclass
class Shop:
    """storefront: 1.4.1, then 1.4.2, in production."""

    people: dict[str, User]
    service: Service
    target: Target
    good: Deployment
    bad: Deployment
    extra: list[Target] = field(default_factory=list)

    @property
    def page(self) -> str:
        return f"/services/{self.service.pk}/"


@pytest.fixture
def shop(db: None) -> Shop:
    people = factories.make_people()
    service = factories.make_service()
    target = factories.make_target(service)
    good = factories.make_deployment(target, "1.4.1")
    bad = factories.make_deployment(target, "1.4.2")
    factories.make_instances(target, "1.4.2", "web-1", "web-2", "web-3")
    return Shop(people, service, target, good, bad)


SignedIn = Callable[[str], Client]


@pytest.fixture
def signed_in(shop: Shop) -> SignedIn:
    """A client signed in as one of the people."""

    def sign_in(name: str) -> Client:
        client = Client()
        client.force_login(shop.people[name])
        return client

    return sign_in
