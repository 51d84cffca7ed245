"""Who may enter the admin, and that everything in it says what it needs."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin as django_admin
from django.contrib.admin import site
from django.contrib.auth.models import Group
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from accounts import administration
from accounts.admin.base import PolicyAdmin
from accounts.models import ApiKey, AuditEvent, User, UserGroup
from accounts.needs import Need, declared
from accounts.vocabulary import AccountPermission, Action, PermissionType
from dashboard.models import (
    Application,
    Artifact,
    Connector,
    Deployment,
    DeploymentFreeze,
    Environment,
    FeatureFlag,
    Flag,
    Infrastructure,
    Instance,
    Phase,
    Service,
    Target,
    Workflow,
)
from tests.administering.conftest import ADMINISTERS, DEPLOYS, SignIn, address
from tests.scene import Scene, group, person

NOW = timezone.now()
PERSONAS = ("engineer", "viewer", "stranger", "former", "admin", "auditor", "editor", "root")


def test_every_page_declares_what_it_needs() -> None:
    assert len(site._registry) > 12
    for model_admin in site._registry.values():
        assert isinstance(model_admin, PolicyAdmin), model_admin
        assert isinstance(model_admin.needs, Need), model_admin
        assert model_admin.operations, f"{model_admin}: nobody may do anything"
        assert all(isinstance(need, Need) for need in model_admin.operations.values())


def test_every_address_declares_what_it_needs() -> None:
    views = [pattern.callback for pattern in _patterns(site.get_urls())]
    assert len(views) > 80
    assert [view for view in views if declared(view) is None] == []


def _patterns(urls: Any) -> Any:
    for each in urls:
        yield from _patterns(each.url_patterns) if hasattr(each, "url_patterns") else [each]


def test_every_action_declares_a_permission(rf: RequestFactory) -> None:
    assert not list(site.actions)
    found = [
        (model_admin, name)
        for model_admin in site._registry.values()
        for function, name, _ in model_admin._get_base_actions()
        if not getattr(function, "allowed_permissions", None)
    ]
    assert found == []


@pytest.mark.django_db
def test_an_action_that_declares_nothing_is_not_there(rf: RequestFactory) -> None:
    @django_admin.action(description="Careless")
    def careless(model_admin: Any, request: Any, queryset: Any) -> None:
        """Declares nothing."""

    class Careless(site._registry[Workflow].__class__):  # type: ignore[misc, name-defined]
        actions = (careless, "archive")

    request = rf.get("/")
    request.user = User.objects.create_superuser("root")
    assert list(Careless(Workflow, site).get_actions(request)) == ["archive"]


def test_plain_groups_are_not_there() -> None:
    assert Group not in site._registry


@pytest.fixture
def everything(shop: Scene, admin: User) -> dict[type, Any]:
    """One of everything the admin shows."""
    person("auditor", group("Auditors", account=[AccountPermission.VIEW_AUDITS]))
    editors = group("Editors", *DEPLOYS)
    editors.app_permissions.create(
        permission_type=PermissionType.ALL,
        actions=["CREATE", "READ", "UPDATE", "DELETE"],
        all_applications=True,
        everything=True,
    )
    person("editor", editors)
    User.objects.create_superuser("root")
    assert shop.workflow.current_revision
    target = Target.objects.create(service=shop.service, infrastructure=shop.infrastructure)
    deployment = Deployment.objects.create(
        target=target,
        workflow=shop.workflow,
        revision=shop.workflow.current_revision,
        started_by=shop.engineer,
        created_at=NOW,
    )
    key, _ = administration.create_key(
        "ci", [UserGroup.objects.get(name="Viewers")], by=None, now=NOW
    )
    return {
        User: shop.stranger,
        UserGroup: UserGroup.objects.get(name="Viewers"),
        ApiKey: key,
        AuditEvent: AuditEvent.objects.first(),
        Application: shop.service.application,
        Service: shop.service,
        Environment: shop.environment,
        Infrastructure: shop.infrastructure,
        Artifact: shop.artifact("1.0"),
        Workflow: shop.workflow,
        Connector: shop.infrastructure.connector,
        DeploymentFreeze: DeploymentFreeze.objects.create(
            name="Holidays", starts_at=NOW, ends_at=NOW + timedelta(days=1)
        ),
        FeatureFlag: FeatureFlag.objects.create(name=Flag.WINRM_ASG_ROLLBACK),
        Deployment: deployment,
        Phase: deployment.phases.create(position=0, name="Install", direction="FORWARD"),
        Target: target,
        Instance: Instance.objects.create(target=target, key="web-1", seen_at=NOW),
    }


# Status by persona, in the order of PERSONAS; (list, page, add, history, delete).
NEVER = (403, 403, 403, 403, 403)
STRANGER = (302, 302, 302, 302, 302)
ALL = (200, 200, 200, 200, 200)
LOOK = (200, 200, 403, 200, 403)
SWITCH = (200, 200, 200, 200, 403)
# What may not be seen is not found: Django's admin goes to its index and says so.
ABSENT = 302
TABLE: dict[type, dict[str, tuple[int, ...]]] = {
    User: {"admin": ALL},
    UserGroup: {"admin": ALL},
    ApiKey: {"admin": (200, 200, 200, 200, 403), "root": (200, 200, 200, 200, 403)},
    AuditEvent: {"auditor": LOOK, "root": LOOK},
    Application: {
        "engineer": ALL,
        "admin": ALL,
        "auditor": (200, ABSENT, 403, ABSENT, 403),
        "editor": LOOK,
    },
    Service: {"editor": ALL},
    Environment: {"editor": ALL},
    Infrastructure: {"editor": ALL},
    Artifact: {"editor": ALL},
    Workflow: {"editor": (200, 200, 200, 200, 403), "root": (200, 200, 200, 200, 403)},
    Connector: {},
    DeploymentFreeze: {},
    FeatureFlag: {"root": SWITCH},
    **{
        model: {
            "engineer": LOOK,
            "admin": LOOK,
            "editor": LOOK,
            "root": LOOK,
            "auditor": (200, ABSENT, 403, ABSENT, 403),
        }
        for model in (Deployment, Target, Instance, Phase)
    },
}


def expected(model: type, who: str) -> tuple[int, ...]:
    if who == "former":
        return STRANGER
    return TABLE[model].get(who, ALL if who == "root" else NEVER)


def test_the_table_has_every_model() -> None:
    assert set(TABLE) == set(site._registry)


@pytest.mark.parametrize("who", PERSONAS)
def test_who_gets_what(everything: dict[type, Any], sign_in: SignIn, who: str) -> None:
    client = sign_in(who)
    found, wanted = {}, {}
    for model, thing in everything.items():
        addresses = (
            address(model, "changelist"),
            address(thing),
            address(model, "add"),
            address(thing, "history"),
            address(thing, "delete"),
        )
        found[model.__name__] = tuple(client.get(each).status_code for each in addresses)
        wanted[model.__name__] = expected(model, who)
    assert found == wanted


@pytest.mark.parametrize("who", PERSONAS)
def test_who_may_do_more_to_people_and_keys(
    everything: dict[type, Any], sign_in: SignIn, who: str
) -> None:
    client, user, key = sign_in(who), everything[User], everything[ApiKey]
    pages = [address(user, name) for name in ("password", "deactivate", "reactivate")]
    pages.append(address(key, "revoke"))
    status = {"admin": 200, "root": 200, "former": 302}.get(who, 403)
    assert [client.get(each).status_code for each in pages] == [status] * 4


@pytest.mark.parametrize(
    ("who", "status"),
    [("engineer", 200), ("viewer", 403), ("stranger", 403), ("former", 302), ("auditor", 200)],
)
def test_who_enters(everything: Any, sign_in: SignIn, who: str, status: int) -> None:
    client = sign_in(who)
    assert client.get(reverse("admin:index")).status_code == status
    assert client.post(reverse("admin:notice_read")).status_code == (302 if status != 403 else 403)


def test_staff_is_nobody(shop: Scene, sign_in: SignIn) -> None:
    person("staff", is_staff=True)
    assert sign_in("staff").get(reverse("admin:index"), follow=True).status_code == 403


def test_strangers_sign_in_where_everybody_does(client: Client, db: None) -> None:
    answer = client.get(reverse("admin:index"), follow=True)
    assert answer.redirect_chain[-1][0] == "/sign-in/?next=/admin/"
    assert "Django" not in answer.text


def test_an_api_key_never_enters(shop: Scene, admin: User, client: Client) -> None:
    administrators = UserGroup.objects.get(name="Administrators")
    _, text = administration.create_key("robot", [administrators], by=None, now=NOW)
    headers = {"x-api-key": text}
    answer = client.get(address(UserGroup, "changelist"), headers=headers, follow=True)
    assert answer.status_code == 403


def test_the_rights_count_not_the_memory_of_them(page: Client, admin: User) -> None:
    assert page.get(address(User, "changelist")).status_code == 200
    person("second", group("Others", account=ADMINISTERS))
    administration.set_members(UserGroup.objects.get(name="Administrators"), [], by=None)
    assert page.get(address(User, "changelist")).status_code == 403


def test_engineers_find_the_admin_short(everything: Any, sign_in: SignIn) -> None:
    """Nothing they may not open is offered."""
    text = sign_in("engineer").get(reverse("admin:index")).text
    assert "Applications" in text
    assert "User groups" not in text
    assert Action.READ.label not in text
