"""The people who administer, and forms filled in as a browser would fill them in."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEvent, User, UserGroup
from accounts.vocabulary import AccountPermission, Action
from tests.scene import Scene, group, person, scene

ADMINISTERS = (
    AccountPermission.READ_USERS_AND_GROUPS,
    AccountPermission.MANAGE_USERS_AND_GROUPS,
    AccountPermission.MANAGE_API_KEYS,
    AccountPermission.MANAGE_APPLICATIONS,
)
DEPLOYS = (
    Action.READ,
    Action.EXECUTE_WORKFLOW,
    Action.ROLLBACK_WORKFLOW,
    Action.ABORT_WORKFLOW,
)


@pytest.fixture
def shop(db: None) -> Scene:
    return scene()


@pytest.fixture
def admin(shop: Scene) -> User:
    """Administers people, with all that is done to deployments to give on."""
    return person("admin", group("Administrators", *DEPLOYS, account=ADMINISTERS))


SignIn = Callable[[str], Client]


@pytest.fixture
def sign_in(db: None) -> SignIn:
    def signed_in(name: str) -> Client:
        client = Client()
        client.force_login(User.objects.get(username=name))
        return client

    return signed_in


@pytest.fixture
def page(admin: User, sign_in: SignIn) -> Client:
    """The administrator's browser."""
    return sign_in("admin")


def address(thing: Any, name: str = "change") -> str:
    meta = thing._meta
    arguments = [] if isinstance(thing, type) else [thing.pk]
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{name}", args=arguments)


def shown(client: Client, where: str) -> dict[str, Any]:
    """What a browser would send back if nothing was changed."""
    context = client.get(where).context
    form = context["adminform"].form
    fields: dict[str, Any] = {}
    for field in form:
        value = field.value()
        if hasattr(value, "values_list"):
            value = list(value.values_list("pk", flat=True))
        if value not in (None, False, ""):
            fields[field.html_name] = value
    for panel in context["inline_admin_formsets"]:
        fields |= rows_shown(panel.formset)
    return fields


def rows_shown(formset: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "rows-TOTAL_FORMS": formset.total_form_count(),
        "rows-INITIAL_FORMS": formset.initial_form_count(),
    }
    for form in formset:
        for field in form:
            if field.value() not in (None, False, "", []):
                fields[field.html_name] = field.value()
    return fields


def with_row(fields: dict[str, Any], **row: Any) -> dict[str, Any]:
    """The form with one row more."""
    number = fields["rows-TOTAL_FORMS"]
    added = {f"rows-{number}-{name}": value for name, value in row.items()}
    return {**fields, **added, "rows-TOTAL_FORMS": number + 1}


def errors(response: Any) -> dict[str, str]:
    """The sentences of a form that was refused, by field; those of rows as `rows.0.actions`."""
    assert response.status_code == 200, f"saved, or {response.status_code}"
    found = dict(response.context["adminform"].form.errors)
    for panel in response.context["inline_admin_formsets"]:
        for index, form in enumerate(panel.formset.kept):
            found |= {f"rows.{index}.{name}": each for name, each in form.errors.items()}
    return {name: " ".join(each) for name, each in found.items()}


def verbs() -> list[str]:
    """What was recorded, the oldest first, but for what the scene itself changed."""
    events = AuditEvent.objects.exclude(verb="GRANTS_CHANGED").order_by("number")
    return list(events.values_list("verb", flat=True))


def members(of: UserGroup) -> set[str]:
    return set(User.people.filter(groups=of.pk).values_list("username", flat=True))
