"""Every door says what it needs, and who does not have it is not let in."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, clear_url_caches, get_resolver, path, reverse

from accounts import policy
from accounts.models import AuditEvent, User
from accounts.needs import declared
from accounts.vocabulary import AccountPermission, Action
from dashboard.celery import app
from dashboard.models import Application, Deployment, Environment
from tests.scene import Scene, group, person


def patterns(within: Any = None, prefix: str = "") -> Iterator[tuple[str, Any, str | None]]:
    """(address, view, name) of everything that is served."""
    for each in (within or get_resolver()).url_patterns:
        address = prefix + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from patterns(each, address)
        elif isinstance(each, URLPattern):
            yield address, each.callback, each.name


SITE = [(name or address) for address, _, name in patterns() if not address.startswith("admin/")]


def test_every_view_declares_what_it_needs() -> None:
    found = list(patterns())
    assert len(found) > 20
    undeclared = [address for address, view, _ in found if declared(view) is None]
    assert undeclared == []


def test_every_task_declares_what_it_needs() -> None:
    tasks = [task for name, task in app.tasks.items() if not name.startswith("celery.")]
    assert len(tasks) >= 2
    assert [task.name for task in tasks if not hasattr(task.run, "needs")] == []


def test_a_task_that_declares_nothing_does_not_run() -> None:
    done = []

    @app.task(name="undeclared", shared=False)
    def undeclared() -> None:
        done.append(True)

    try:
        with pytest.raises(PermissionError, match="declares no need"):
            undeclared()
    finally:
        app.tasks.pop("undeclared")
    assert not done


def silent(request: HttpRequest) -> HttpResponse:
    return HttpResponse("secret")


def test_a_view_that_declares_nothing_is_refused(
    shop: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = __import__(settings.ROOT_URLCONF, fromlist=["urlpatterns"])
    monkeypatch.setattr(root, "urlpatterns", [*root.urlpatterns, path("silent/", silent)])
    clear_url_caches()
    root_client = Client()
    root_client.force_login(User.objects.create_superuser("root"))
    try:
        answer = root_client.get("/silent/")
    finally:
        clear_url_caches()
    assert answer.status_code == 403
    assert b"secret" not in answer.content


# Who gets what: status by persona, in the order of PERSONAS. Nobody acts on what they cannot see.
PERSONAS = ("engineer", "viewer", "stranger", "admin", "former", "nobody")
TABLE: dict[tuple[str, str], tuple[int, ...]] = {
    ("GET", "services"): (200, 200, 200, 200, 302, 302),
    ("GET", "service"): (200, 200, 404, 404, 302, 302),
    ("GET", "deployments"): (200, 200, 200, 200, 302, 302),
    ("GET", "deployment"): (200, 200, 404, 404, 302, 302),
    ("GET", "deployment_menu"): (200, 200, 404, 404, 302, 302),
    ("GET", "deployment_controls"): (200, 200, 404, 404, 302, 302),
    ("GET", "rollback"): (200, 403, 404, 404, 302, 302),
    ("POST", "rollback"): (422, 403, 404, 404, 302, 302),
    ("GET", "drift"): (200, 200, 404, 404, 302, 302),
    ("POST", "rerun"): (302, 403, 404, 404, 302, 302),
    ("POST", "abort"): (409, 403, 404, 404, 302, 302),
    ("POST", "resume"): (409, 403, 404, 404, 302, 302),
    ("POST", "decide"): (409, 403, 404, 404, 302, 302),
    ("GET", "execute"): (200, 403, 404, 404, 302, 302),
    ("POST", "execute"): (422, 403, 404, 404, 302, 302),
    ("POST", "refresh_target"): (302, 302, 404, 404, 302, 302),
    ("GET", "login"): (200, 200, 200, 200, 200, 200),
    ("POST", "logout"): (302, 302, 302, 302, 302, 302),
    ("GET", "healthz"): (200, 200, 200, 200, 200, 200),
    ("GET", "readyz"): (503, 503, 503, 503, 503, 503),  # no worker lives in this test
    ("GET", "metrics"): (200, 200, 200, 200, 200, 200),  # to this machine; see tests/operating
}
ABOUT_EVERYTHING = ["services", "deployments", "login", "logout", "healthz", "readyz", "metrics"]


@pytest.fixture
def people(shop: Scene) -> dict[str, Client]:
    """Everybody at the site; `admin` administers groups and sees no application."""
    administer = [
        AccountPermission.READ_USERS_AND_GROUPS,
        AccountPermission.MANAGE_USERS_AND_GROUPS,
    ]
    person("admin", group("Administrators", account=administer))
    clients = {name: Client() for name in PERSONAS}
    for name in PERSONAS[:-1]:
        clients[name].force_login(User.objects.get(username=name))
    return clients


@pytest.fixture
def current(shop: Scene) -> Deployment:
    shop.deploy("1.4.1")
    return shop.deploy("1.4.2")


def arguments(name: str, shop: Scene, current: Deployment) -> list[int | str]:
    if name in {"service", "execute"}:
        return [shop.service.pk]
    if name == "refresh_target":
        return [shop.target.pk]
    if name == "decide":
        return [current.pk, "RETRY"]
    return [] if name in ABOUT_EVERYTHING else [current.pk]


@pytest.mark.parametrize(("method", "name"), TABLE)
def test_who_gets_what(
    shop: Scene, people: dict[str, Client], current: Deployment, method: str, name: str
) -> None:
    address = reverse(name, args=arguments(name, shop, current))
    found = {who: client.generic(method, address).status_code for who, client in people.items()}
    assert found == dict(zip(PERSONAS, TABLE[method, name], strict=True))


def test_the_table_has_every_address_of_the_site() -> None:
    elsewhere = {"graphql", *(name for name in SITE if name.startswith("audit"))}
    assert {name for _, name in TABLE} == set(SITE) - elsewhere


def test_what_is_forbidden_looks_like_what_is_absent(
    shop: Scene, people: dict[str, Client], current: Deployment
) -> None:
    stranger = people["stranger"]
    for name in ("service", "deployment", "deployment_menu", "rollback", "drift", "execute"):
        [pk] = arguments(name, shop, current)
        forbidden = stranger.get(reverse(name, args=[pk]))
        absent = stranger.get(reverse(name, args=[987654321]))
        assert (forbidden.status_code, absent.status_code) == (404, 404)
        assert without_clock(forbidden) == without_clock(absent)


def test_asking_to_change_what_one_may_not_see_is_written_down(
    shop: Scene, people: dict[str, Client], current: Deployment
) -> None:
    before = AuditEvent.objects.count()
    people["stranger"].get(reverse("rollback", args=[current.pk]))
    assert AuditEvent.objects.count() == before, "who only looks asks for nothing"

    people["stranger"].post(reverse("rollback", args=[current.pk]))
    mutation = """mutation { abortExecution(input: {executionId: "%s"}) { clientMutationId } }"""
    asked = {"query": mutation % current.pk}
    answer = people["stranger"].post("/graphql", asked, content_type="application/json")

    assert answer.json()["errors"][0]["extensions"]["code"] == "NOT_FOUND"
    events = AuditEvent.objects.filter(number__gt=before).order_by("number")
    assert [(event.verb, event.actor_name) for event in events] == [("REFUSED", "stranger")] * 2
    assert f"/deployments/{current.pk}/rollback/" in events[0].message
    assert "abortExecution" in events[1].message


def without_clock(answer: Any) -> bytes:
    """The page but for the time of day it carries."""
    text: bytes = answer.content
    before, mark, after = text.partition(b'data-now="')
    return before + mark + after.partition(b'"')[2]


def test_a_right_is_gone_with_the_next_request(shop: Scene, current: Deployment) -> None:
    client = Client()
    client.force_login(shop.engineer)
    address = reverse("service", args=[shop.service.pk])
    assert client.get(address).status_code == 200

    shop.engineer.groups.clear()

    assert client.get(address).status_code == 404
    assert client.get(reverse("rollback", args=[current.pk])).status_code == 404


def test_retyping_and_creating_environments_changes_who_may_at_once(shop: Scene) -> None:
    lower = person(
        "lower",
        group(
            "Lower",
            Action.ROLLBACK_WORKFLOW,
            account=[AccountPermission.MANAGE_APPLICATIONS],
            production=False,
        ),
    )
    staging = Environment.objects.create(
        application=shop.environment.application,
        name="staging",
        environment_type="NON_PRODUCTION",
    )
    elsewhere = Environment.objects.create(
        application=Application.objects.create(name="Later"),
        name="qa",
        environment_type="NON_PRODUCTION",
    )
    assert policy.may_roll_back(lower, staging)
    assert policy.may_roll_back(lower, elsewhere)
    assert not policy.may_roll_back(lower, shop.environment)

    staging.environment_type = "PRODUCTION"
    staging.save()

    assert not policy.may_roll_back(lower, staging)
