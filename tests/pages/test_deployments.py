"""The list of deployments and the page of one."""

import pytest

from dashboard import queries
from dashboard.models import Deployment, Status
from tests.pages import factories
from tests.pages.conftest import Shop, SignedIn
from tests.pages.test_service import queries_of, text_of


def path_of(deployment: Deployment) -> str:
    return f"/deployments/{deployment.pk}/"


@pytest.mark.parametrize(
    ("status", "badge"),
    [
        (Status.QUEUED, "Rolling back"),
        (Status.RUNNING, "Rolling back"),
        (Status.PAUSED, "Rolling back"),
        (Status.SUCCEEDED, "Rolled back"),
        (Status.FAILED, "Rollback failed"),
    ],
)
def test_the_original_shows_what_became_of_it(
    shop: Shop, signed_in: SignedIn, status: str, badge: str
) -> None:
    rollback = factories.make_rollback(shop.bad, status=status)
    page = signed_in("viewer").get(path_of(shop.bad)).content.decode()
    assert badge in page
    assert "Succeeded" in page
    assert f'href="{path_of(rollback)}"' in page
    assert (
        f'href="{path_of(shop.bad)}"' in signed_in("viewer").get(path_of(rollback)).content.decode()
    )
    assert badge in text_of(signed_in("viewer"), "/deployments/")


def test_the_newest_rollback_counts(shop: Shop, signed_in: SignedIn) -> None:
    factories.make_rollback(shop.bad, status=Status.FAILED)
    factories.make_rollback(shop.bad, status=Status.RUNNING)
    assert queries.rollback_state(shop.bad) == "ROLLING_BACK"


def test_a_rollback_says_from_what_to_what(shop: Shop, signed_in: SignedIn) -> None:
    rollback = factories.make_rollback(shop.bad, note="Prices are zero")
    page = text_of(signed_in("viewer"), path_of(rollback))
    assert f"Rollback {rollback.pk}" in page
    assert "1.4.2 to 1.4.1" in page
    assert "Prices are zero" in page


def test_polling_is_quiet_then_tells_then_ends(shop: Shop, signed_in: SignedIn) -> None:
    running = factories.make_rollback(shop.bad, status=Status.RUNNING)
    client, htmx = signed_in("viewer"), {"HX-Request": "true"}
    version = queries.deployment_version(running.pk, shop.people["viewer"])
    poll = f"{path_of(running)}?version={version}&status=RUNNING"
    assert client.get(poll, headers=htmx).status_code == 204
    assert queries_of(client, poll, **htmx) <= 3
    Deployment.objects.filter(pk=running.pk).update(version=2)
    answer = client.get(poll, headers=htmx)
    assert answer.status_code == 200
    assert "HX-Trigger" not in answer.headers
    assert b"hx-trigger" in answer.content
    Deployment.objects.filter(pk=running.pk).update(version=3, status=Status.SUCCEEDED)
    answer = client.get(poll, headers=htmx)
    assert answer.status_code == 286
    assert answer.headers["HX-Trigger"] == "status-changed"
    assert b"hx-trigger" not in answer.content


def test_the_original_polls_while_it_is_being_rolled_back(shop: Shop, signed_in: SignedIn) -> None:
    client = signed_in("viewer")
    assert b"data-poll" not in client.get(path_of(shop.bad)).content
    rollback = factories.make_rollback(shop.bad, status=Status.RUNNING)
    assert b"data-poll" in client.get(path_of(shop.bad)).content
    seen = queries.deployment_version(shop.bad.pk, shop.people["viewer"])
    Deployment.objects.filter(pk=rollback.pk).update(version=2)
    assert queries.deployment_version(shop.bad.pk, shop.people["viewer"]) != seen


def test_failures_come_first_and_many_successes_are_folded(shop: Shop, signed_in: SignedIn) -> None:
    outcomes = {f"web-{n:02}": {"state": "DONE", "message": "1.4.1"} for n in range(1, 30)}
    outcomes["web-30"] = {"state": "UNKNOWN", "message": "no answer for 30 s"}
    factories.make_step(shop.bad, outcomes=outcomes, lines=["unpacked", "<b>started</b>"])
    page = text_of(signed_in("viewer"), path_of(shop.bad))
    assert "1 unknown, 29 done" in page
    assert "29 instances done" in page
    assert page.index("web-30") < page.index("web-01")
    assert "&lt;b&gt;started&lt;/b&gt;" in page


def test_the_log_shows_the_last_lines(shop: Shop, signed_in: SignedIn) -> None:
    factories.make_step(shop.bad, lines=[f"line {n}." for n in range(250)])
    page = text_of(signed_in("viewer"), path_of(shop.bad))
    assert "line 249." in page
    assert "line 49." not in page


def test_verification_is_shown_instance_by_instance(shop: Shop, signed_in: SignedIn) -> None:
    rollback = factories.make_rollback(shop.bad, status=Status.FAILED)
    rollback.after = {
        "instances": [
            {"key": "web-1", "identity": "7", "version": "1.4.1", "is_healthy": True,
             "message": "", "verdict": "ROLLED_BACK", "expected": "1.4.1"},
            {"key": "web-2", "identity": None, "version": "", "is_healthy": None,
             "message": "timed out", "verdict": "UNKNOWN", "expected": "1.4.1"},
        ]
    }  # fmt: skip
    rollback.save()
    page = text_of(signed_in("viewer"), path_of(rollback))
    assert "1 unknown 1 rolled back" in page
    assert "web-2 Unknown expected 1.4.1 , no answer: timed out web-1 Rolled back" in page


def test_filters_narrow_and_nonsense_does_not(shop: Shop, signed_in: SignedIn) -> None:
    qa = factories.make_target(shop.service, factories.make_environment("qa"))
    failed = factories.make_deployment(qa, "1.5.0", status=Status.FAILED)
    other = factories.make_deployment(factories.make_target(factories.make_service("api")), "9.9.9")
    client = signed_in("viewer")

    def shown(query: str) -> set[int]:
        page = client.get(f"/deployments/?{query}")
        return {row.pk for row in page.context["page"].rows}

    everything = {shop.good.pk, shop.bad.pk, failed.pk, other.pk}
    assert shown("") == everything
    assert shown(f"service={other.target.service_id}") == {other.pk}
    assert shown(f"environment={qa.infrastructure.environment_id}") == {failed.pk}
    assert shown("status=FAILED") == {failed.pk}
    assert shown("status=ACTIVE") == set()
    assert shown("service=x&environment=-1&status=no&before=²") == everything


def test_a_long_list_comes_in_pages_that_new_deployments_do_not_shift(
    shop: Shop, signed_in: SignedIn
) -> None:
    made = [shop.good, shop.bad]
    made += [factories.make_deployment(shop.target, f"2.0.{n}") for n in range(108)]
    keys, client = [each.pk for each in reversed(made)], signed_in("viewer")

    def page(query: str) -> queries.DeploymentPage:
        found: queries.DeploymentPage = client.get(f"/deployments/?{query}").context["page"]
        return found

    first = page("")
    assert ([row.pk for row in first.rows], first.newer) == (keys[:50], None)
    factories.make_deployment(shop.target, "3.0.0")
    second = page(f"before={first.older}")
    assert [row.pk for row in second.rows] == keys[50:100]
    third = page(f"before={second.older}")
    assert ([row.pk for row in third.rows], third.older) == (keys[100:], None)
    assert [row.pk for row in page(f"after={third.newer}").rows] == keys[50:100]
    assert [row.pk for row in page(f"after={second.newer}").rows] == keys[:50]
    assert page(f"after={keys[0]}").newer is None


def test_the_number_of_queries_does_not_grow_with_the_journal(
    shop: Shop, signed_in: SignedIn
) -> None:
    client = signed_in("viewer")
    factories.make_step(shop.bad, lines=["one"])
    factories.make_rollback(shop.bad, status=Status.FAILED)
    few = queries_of(client, path_of(shop.bad))
    for number in range(30):
        factories.make_step(shop.bad, f"Step {number}", phase=f"P{number % 5}", lines=["a", "b"])
        factories.make_rollback(shop.bad, status=Status.FAILED)
    assert queries_of(client, path_of(shop.bad)) == few <= 12
