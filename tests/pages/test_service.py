"""The service's page: who sees what, how it polls, what it says."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.vocabulary import Action
from dashboard import queries
from dashboard.models import Deployment, Status
from tests.pages import factories
from tests.pages.conftest import Shop, SignedIn

PANEL = "Current Deployment Status"


def queries_of(client: Client, path: str, **headers: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        client.get(path, headers=headers)
    return len(captured)


def text_of(client: Client, path: str, **headers: str) -> str:
    """The page's text on one line, without its marks."""
    page = client.get(path, headers=headers).content.decode()
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


@pytest.mark.parametrize(
    ("name", "status"),
    [("engineer", 200), ("viewer", 200), ("stranger", 404), ("admin", 404), ("former", 302)],
)
def test_who_sees_the_service_and_its_deployments(
    shop: Shop, signed_in: SignedIn, name: str, status: int
) -> None:
    client = signed_in(name)
    for path in (shop.page, f"/deployments/{shop.bad.pk}/"):
        assert client.get(path).status_code == status


def test_what_a_stranger_may_not_see_looks_as_if_it_were_not_there(
    shop: Shop, signed_in: SignedIn
) -> None:
    client = signed_in("stranger")
    for there, absent in (
        (shop.page, "/services/99999/"),
        (f"/deployments/{shop.bad.pk}/", "/deployments/99999/"),
    ):
        assert client.get(there).content == client.get(absent).content


def test_lists_show_a_stranger_nothing_and_say_why(shop: Shop, signed_in: SignedIn) -> None:
    client = signed_in("stranger")
    for path in ("/", "/deployments/"):
        page = text_of(client, path)
        assert "storefront" not in page
        assert "none of your user groups" in page


def test_a_viewer_sees_the_panel_and_no_way_to_execute(shop: Shop, signed_in: SignedIn) -> None:
    page = text_of(signed_in("viewer"), shop.page)
    assert PANEL in page
    assert "1.4.2" in page
    assert "3/3 healthy" in page
    assert "Execute a workflow" not in page
    assert "Execute a workflow" in text_of(signed_in("engineer"), shop.page)


def test_the_panel_leaves_out_environments_one_may_not_see(shop: Shop, signed_in: SignedIn) -> None:
    qa = factories.make_target(shop.service, factories.make_environment("qa"))
    factories.make_deployment(qa, "1.5.0")
    group = factories.make_group("QA", Action.READ, production=False)
    shop.people["tester"] = factories.make_person("tester", group)
    for path in (shop.page, "/", "/deployments/"):
        page = text_of(signed_in("tester"), path)
        assert "1.5.0" in page
        assert "1.4.2" not in page


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (Status.QUEUED, "Rollback queued"),
        (Status.RUNNING, "Rolling back"),
        (Status.PAUSED, "Rollback paused"),
        (Status.ABORTING, "Rollback aborting"),
        (Status.FAILED, "Last rollback failed"),
        (Status.ABORTED, "Last rollback aborted"),
    ],
)
def test_the_panel_says_what_a_rollback_is_doing(
    shop: Shop, signed_in: SignedIn, status: str, words: str
) -> None:
    rollback = factories.make_rollback(shop.bad, status=status)
    page = signed_in("viewer").get(shop.page).content.decode()
    assert words in page
    assert f'href="/deployments/{rollback.pk}/"' in page
    assert words in signed_in("viewer").get("/").content.decode()


@pytest.mark.parametrize(
    ("status", "words"), [(Status.RUNNING, "Deploying"), (Status.FAILED, "Last deployment failed")]
)
def test_the_panel_says_what_a_deployment_is_doing(
    shop: Shop, signed_in: SignedIn, status: str, words: str
) -> None:
    factories.make_deployment(shop.target, "1.5.0", status=status)
    page = text_of(signed_in("viewer"), shop.page)
    assert words in page
    assert "1.5.0" in page


def test_the_panel_says_from_what_and_why_it_was_rolled_back(
    shop: Shop, signed_in: SignedIn
) -> None:
    factories.make_rollback(shop.bad, note="Prices are <zero>")
    page = text_of(signed_in("viewer"), shop.page)
    assert "Rolled back from 1.4.2 by Ada Lovelace: Prices are &lt;zero&gt;" in page


def test_an_unhealthy_or_foreign_instance_is_named_first(shop: Shop, signed_in: SignedIn) -> None:
    factories.make_instances(shop.target, "1.4.2", "web-9", is_healthy=False, message="503")
    factories.make_instances(shop.target, "1.4.0", "web-8")
    page = text_of(signed_in("viewer"), shop.page)
    assert "4/5 healthy, 1 on another version" in page
    assert page.index("web-9") < page.index("web-1")


def test_a_failed_check_shows_what_was_known_and_since_when(
    shop: Shop, signed_in: SignedIn
) -> None:
    shop.target.sync_error = "web-1 refuses the connection"
    shop.target.save()
    page = text_of(signed_in("viewer"), shop.page)
    assert "Last check failed" in page
    assert "web-1 refuses the connection; shown as of" in page
    shop.target.sync_tried_at = shop.target.synced_at
    shop.target.save()
    assert "Last check failed" not in text_of(signed_in("viewer"), shop.page)


def version_of(shop: Shop) -> str:
    return queries.panel_version(shop.service.pk, shop.people["viewer"])


def test_a_poll_is_answered_only_when_something_changed(shop: Shop, signed_in: SignedIn) -> None:
    client, version = signed_in("viewer"), version_of(shop)
    poll = f"{shop.page}?version={version}"
    assert client.get(poll, headers={"HX-Request": "true"}).status_code == 204
    assert client.get(poll).status_code == 200
    rollback = factories.make_rollback(shop.bad, status=Status.QUEUED)
    answer = client.get(poll, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert b"<html" not in answer.content
    assert "HX-Request" in answer.headers["Vary"]
    seen = version_of(shop)
    Deployment.objects.filter(pk=rollback.pk).update(version=2)
    assert version_of(shop) not in (version, seen)


def test_a_poll_of_what_is_no_longer_visible_is_404(shop: Shop, signed_in: SignedIn) -> None:
    poll = f"{shop.page}?version={version_of(shop)}"
    answer = signed_in("stranger").get(poll, headers={"HX-Request": "true"})
    assert answer.status_code == 404


def test_the_number_of_queries_does_not_grow_with_what_is_shown(
    shop: Shop, signed_in: SignedIn
) -> None:
    client = signed_in("viewer")
    few = {path: queries_of(client, path) for path in (shop.page, "/", "/deployments/")}
    for number in range(20):
        environment = factories.make_environment(f"qa {number}")
        target = factories.make_target(shop.service, environment)
        factories.make_rollback(factories.make_deployment(target, "1.4.2"), status="RUNNING")
        factories.make_instances(target, "1.4.2", *(f"qa-{n}" for n in range(10)))
        factories.make_target(factories.make_service(f"other {number}"))
    assert {path: queries_of(client, path) for path in few} == few
    assert max(few.values()) <= 12
    poll = f"{shop.page}?version={version_of(shop)}"
    assert queries_of(client, poll, **{"HX-Request": "true"}) <= 3
