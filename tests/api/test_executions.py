"""What runs where, by the API: lists, filters, and what is not seen."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.vocabulary import Action
from dashboard.models import Application, Deployment, Environment
from tests.api.callers import data, signed_in
from tests.graphql.conftest import Caller
from tests.lab import Fleet
from tests.scene import Scene, group, person

ALL = """query($filters: [ExecutionFilter!], $limit: Int = 100, $offset: Int = 0) {
  executions(filters: $filters, limit: $limit, offset: $offset) {
    pageInfo { total limit hasMore offset }
    nodes { id status triggeredBy { name } ... on WorkflowExecution {
      isCurrent rollsBack artifacts { buildNo } rollbackArtifacts { buildNo }
      service { name application { name } } environment { name type application { name } }
      infrastructureDefinition { name environment { name } }
      workflow { name type isTemplate service { name application { name } } }
    } }
  }
}"""


@pytest.fixture
def viewer(shop: Scene) -> Caller:
    return signed_in(shop.viewer)


@pytest.fixture
def history(shop: Scene) -> list[Deployment]:
    """Two deployments and a rollback in production; one deployment in staging; all over."""
    first, second = shop.deploy("1.4.1"), shop.deploy("1.4.2")
    back = shop.roll_back(second)
    hosts = shop.another_infrastructure("staging hosts", ["db-1"])
    hosts.environment = Environment.objects.create(
        application=shop.service.application, name="staging", environment_type="NON_PRODUCTION"
    )
    hosts.save()
    there = shop.deploy("1.5.0", infrastructure=hosts)
    long_ago = timezone.now() - timedelta(days=2)
    Deployment.objects.filter(pk=there.pk).update(started_at=long_ago)
    return [first, second, back, there]


def listed(caller: Caller, filters: Any = None, **part: int) -> list[int]:
    answer = data(caller.ask(ALL, {"filters": filters, **part}), "executions")
    return [int(each["id"]) for each in answer["nodes"]]


def test_the_newest_come_first_with_everything_about_them(
    viewer: Caller, history: list[Deployment], shop: Scene
) -> None:
    first, second, back, there = history
    answer = data(viewer.ask(ALL), "executions")
    assert answer["pageInfo"] == {"total": 4, "limit": 100, "hasMore": False, "offset": 0}
    assert [each["id"] for each in answer["nodes"]] == [
        str(each.pk) for each in (there, back, second, first)
    ]
    assert answer["nodes"][1] == {
        "id": str(back.pk),
        "status": "SUCCESS",
        "triggeredBy": {"name": "engineer"},
        "isCurrent": True,
        "rollsBack": str(second.pk),
        "artifacts": [{"buildNo": "1.4.1"}],
        "rollbackArtifacts": [],
        "service": {"name": "storefront", "application": {"name": "Shop"}},
        "environment": {
            "name": "production",
            "type": "PRODUCTION",
            "application": {"name": "Shop"},
        },
        "infrastructureDefinition": {
            "name": "web hosts",
            "environment": {"name": "production"},
        },
        "workflow": {
            "name": "Deploy storefront",
            "type": "BASIC",
            "isTemplate": True,
            "service": {"name": "storefront", "application": {"name": "Shop"}},
        },
    }


def test_filters_narrow(
    viewer: Caller, history: list[Deployment], shop: Scene, fleet: Fleet
) -> None:
    first, second, back, there = (each.pk for each in history)
    fleet.broken["db-1"] = "apply"
    failed = shop.deploy("1.5.1", infrastructure=history[3].target.infrastructure).pk
    application = str(shop.service.application_id)
    staging = str(history[3].target.infrastructure.environment_id)
    yesterday = int((timezone.now() - timedelta(days=1)).timestamp() * 1000)
    expected: list[tuple[Any, list[int]]] = [
        ({"application": {"operator": "IN", "values": [application]}},
         [failed, there, back, second, first]),
        ({"application": {"operator": "EQUALS", "values": "999"}}, []),
        ({"environment": {"operator": "IN", "values": [staging]}}, [failed, there]),
        ({"environment": {"operator": "NOT_IN", "values": [staging]}}, [back, second, first]),
        ({"service": {"operator": "IN", "values": ["x"]}}, []),
        ({"status": {"operator": "IN", "values": ["FAILED", "ABORTED"]}}, [failed]),
        ({"startTime": {"operator": "AFTER", "value": yesterday}}, [failed, back, second, first]),
        ({"startTime": {"operator": "BEFORE", "value": yesterday}}, [there]),
        ({"execution": {"operator": "EQUALS", "values": [str(second)]}}, [second]),
        ({"isCurrent": True}, [there, back]),
        ([{"isCurrent": True}, {"environment": {"operator": "IN", "values": staging}}], [there]),
        ([], [failed, there, back, second, first]),
    ]  # fmt: skip
    for filters, pks in expected:
        assert listed(viewer, filters) == pks, filters


def test_a_list_is_read_part_by_part(viewer: Caller, history: list[Deployment]) -> None:
    whole = listed(viewer)
    parts = [listed(viewer, limit=3, offset=offset) for offset in (0, 3, 6)]
    assert parts == [whole[:3], whole[3:], []]


def test_a_list_costs_the_same_for_many_as_for_few(
    viewer: Caller, history: list[Deployment], shop: Scene, django_assert_num_queries: Any
) -> None:
    viewer.ask(ALL)
    with django_assert_num_queries(10) as few:
        viewer.ask(ALL)
    for number in range(8):
        shop.deploy(f"2.0.{number}")
    with django_assert_num_queries(len(few)):
        assert len(listed(viewer)) == 12


def test_how_many_there_are_is_counted_only_where_it_is_asked_for(
    viewer: Caller, history: list[Deployment], django_assert_num_queries: Any
) -> None:
    ask = "{ executions { pageInfo { hasMore } nodes { id } } }"
    viewer.ask(ask)
    with django_assert_num_queries(9):
        viewer.ask(ask)


THING = {
    "application": 'application(applicationId: "%s") { name }',
    "artifacts": 'artifacts(serviceId: "%s") { nodes { buildNo } }',
    "infrastructureDefinitions": 'infrastructureDefinitions(environmentId: "%s") { nodes { id } }',
    "execution": 'execution(executionId: "%s") { id }',
    "rollbackConfirmation": 'rollbackConfirmation(executionId: "%s") { isEligible }',
}


@pytest.mark.parametrize("field", THING)
def test_what_is_not_seen_is_answered_as_what_is_absent(
    shop: Scene, history: list[Deployment], field: str
) -> None:
    stranger = signed_in(shop.stranger)
    pks = {
        "application": shop.service.application_id,
        "artifacts": shop.service.pk,
        "infrastructureDefinitions": shop.environment.pk,
    }
    said = []
    for thing in (str(pks.get(field, history[1].pk)), "987654321", "x", "9" * 30):
        answer = stranger.ask(f"{{ {THING[field] % thing} }}")
        assert answer["data"] == {field: None}
        said.append(answer["errors"])
    assert said[0][0]["extensions"] == {"code": "NOT_FOUND"}
    assert said == [said[0]] * 4
    assert "errors" not in signed_in(shop.engineer).ask(
        f"{{ {THING[field] % pks.get(field, history[1].pk)} }}"
    )


def test_a_stranger_lists_nothing(shop: Scene, history: list[Deployment]) -> None:
    stranger = signed_in(shop.stranger)
    for name in (
        "applications",
        "services",
        "environments",
        "workflows",
        "executions",
        "deployments",
    ):
        shown = data(stranger.ask(f"{{ {name} {{ pageInfo {{ total }} nodes {{ id }} }} }}"), name)
        assert shown == {"pageInfo": {"total": 0}, "nodes": []}


def test_lists_show_what_may_be_seen_and_no_more(shop: Scene, history: list[Deployment]) -> None:
    bank = Application.objects.create(name="Bank")
    Environment.objects.create(application=bank, name="vault", environment_type="PRODUCTION")
    staging = history[3].target.infrastructure.environment
    tester = signed_in(person("tester", group("T", Action.READ, environments=[staging])))
    answer = tester.ask(
        "{ applications { nodes { name } } services { nodes { name deploymentType } } "
        "environments { nodes { name type } } workflows { nodes { name } } }"
    )["data"]
    assert answer["applications"]["nodes"] == [{"name": "Shop"}]
    assert answer["services"]["nodes"] == [{"name": "storefront", "deploymentType": "SSH"}]
    assert answer["environments"]["nodes"] == [{"name": "staging", "type": "NON_PRODUCTION"}]
    assert answer["workflows"]["nodes"] == [{"name": "Deploy storefront"}]
    assert listed(tester) == [history[3].pk]


def test_things_are_narrowed_to_an_application(viewer: Caller, shop: Scene) -> None:
    bank = Application.objects.create(name="Bank")
    Environment.objects.create(application=bank, name="vault", environment_type="PRODUCTION")
    ask = """query($id: [String!]!) { environments(filters: {application: {operator: IN,
        values: $id}}) { nodes { name } } }"""
    assert data(viewer.ask(ask, {"id": str(bank.pk)}), "environments")["nodes"] == [
        {"name": "vault"}
    ]


def test_an_application_is_found_by_name_and_by_id(viewer: Caller, shop: Scene) -> None:
    pk = str(shop.service.application_id)
    for asked in (f'application(applicationId: "{pk}")', 'applicationByName(name: "Shop")'):
        (shown,) = viewer.ask(f"{{ {asked} {{ id name }} }}")["data"].values()
        assert shown == {"id": pk, "name": "Shop"}
    error = viewer.refused('{ applicationByName(name: "shop") { id } }')
    assert error["extensions"]["code"] == "NOT_FOUND"


def test_versions_and_places_are_listed_for_who_deploys(
    viewer: Caller, shop: Scene, history: list[Deployment]
) -> None:
    answer = viewer.ask(
        f'{{ artifacts(serviceId: "{shop.service.pk}", limit: 2) {{ nodes {{ buildNo }} }} '
        f'infrastructureDefinitions(environmentId: "{shop.environment.pk}") '
        "{ nodes { name environment { name } } } }"
    )["data"]
    assert answer["artifacts"]["nodes"] == [{"buildNo": "1.5.0"}, {"buildNo": "1.4.2"}]
    assert answer["infrastructureDefinitions"]["nodes"] == [
        {"name": "web hosts", "environment": {"name": "production"}}
    ]
