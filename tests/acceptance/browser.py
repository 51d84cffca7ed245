"""A person at the pages, without a browser: what is offered, and what pressing it does."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from accounts.models import User
from dashboard.models import Deployment
from rollbacks.menus import Item

ROLLBACK = "Rollback Deployment"


@dataclass
class Browser:
    """Signed in as this person."""

    person: User

    def __post_init__(self) -> None:
        self.client = Client()
        self.client.force_login(self.person)

    def get(self, name: str, *args: object) -> Any:
        return self.client.get(reverse(name, args=args), headers={"HX-Request": "true"})

    def post(self, name: str, *args: object, **data: object) -> Any:
        url = reverse(name, args=args)
        return self.client.post(url, data, headers={"HX-Request": "true"})

    def menu(self, deployment: Deployment) -> dict[str, Item]:
        """What ⋮ beside the deployment offers; what is written there is what was decided."""
        answer = self.get("deployment_menu", deployment.pk)
        assert answer.status_code == 200
        page = answer.content.decode()
        items: dict[str, Item] = {item.label: item for item in answer.context["items"]}
        for item in items.values():
            assert item.label in page
            assert item.is_enabled == (f'"{item.url}"' in page)
        return items

    def is_offered(self, deployment: Deployment) -> bool:
        """Whether Rollback Deployment can be chosen; disabled with its reason is not."""
        item = self.menu(deployment).get(ROLLBACK)
        return bool(item and item.is_enabled)

    def dialog(self, deployment: Deployment, **choices: str) -> Any:
        """Choose Rollback Deployment."""
        url = reverse("rollback", args=[deployment.pk])
        return self.client.get(url, choices, headers={"HX-Request": "true"})

    def press_rollback(self, shown: Any, **filled_in: object) -> Any:
        """Press Rollback in the dialog that is shown."""
        deployment, form = shown.context["deployment"], shown.context["form"]
        data = {
            "fingerprint": form.initial.get("fingerprint", "none was shown"),
            "configuration": form.initial["configuration"],
            **filled_in,
        }
        return self.post("rollback", deployment.pk, **data)


def led_to(answer: HttpResponse) -> Deployment:
    """The deployment whose page the answer leads to."""
    assert answer.status_code == 204, answer.content.decode()
    return Deployment.objects.get(pk=int(answer["HX-Redirect"].strip("/").split("/")[-1]))
