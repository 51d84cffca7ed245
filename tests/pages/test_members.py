"""What an instance consists of, on the pages: counted, and shown below it."""

import pytest

from tests.pages import factories
from tests.pages.conftest import Shop, SignedIn
from tests.pages.test_service import queries_of, text_of

SICK = {"is_healthy": False, "message": "CrashLoopBackOff"}
OLD = {"version": "1.4.1"}


def test_lists_count_members_where_there_are_any(shop: Shop, signed_in: SignedIn) -> None:
    members = factories.make_members(50, **SICK)
    factories.make_instances(shop.target, "1.4.2", "deployment/web", members=members)
    client = signed_in("viewer")
    for path in ("/", shop.page):
        assert "52/53 healthy" in text_of(client, path)
    assert "53 instances, 1 unhealthy" in text_of(client, shop.page)


@pytest.mark.parametrize(
    ("members", "is_healthy", "words"),
    [
        (factories.make_members(3), True, "6/6 healthy"),
        (factories.make_members(3, is_healthy=None), True, "5/6 healthy"),
        (factories.make_members(3, **OLD), True, "6/6 healthy, 1 on another version"),
        (factories.make_members(3), False, "6/6 healthy, 1 incomplete"),
        (factories.make_members(3, **SICK), False, "5/6 healthy"),
        ([], True, "4/4 healthy"),
        ([], False, "3/4 healthy"),
    ],
)
def test_what_is_wrong_with_some_is_said(
    shop: Shop,
    signed_in: SignedIn,
    members: list[dict[str, object]],
    is_healthy: bool,
    words: str,
) -> None:
    factories.make_instances(
        shop.target, "1.4.2", "deployment/web", members=members, is_healthy=is_healthy
    )
    client = signed_in("viewer")
    for path in ("/", shop.page):
        page = client.get(path).content.decode()
        assert f"<span>{words}</span>" in page
        assert ("health--good" in page) == (words in {"6/6 healthy", "4/4 healthy"})


def test_those_of_another_version_than_what_is_deployed_are_all_strays(
    shop: Shop, signed_in: SignedIn
) -> None:
    members = factories.make_members(4, "1.4.1")
    factories.make_instances(shop.target, "1.4.1", "deployment/web", members=members)
    assert "7/7 healthy, 4 on another version" in text_of(signed_in("viewer"), "/")


def test_the_service_shows_each_with_its_version_and_what_is_wrong(
    shop: Shop, signed_in: SignedIn
) -> None:
    members = factories.make_members(3, **OLD, **SICK)
    factories.make_instances(shop.target, "1.4.2", "deployment/web", members=members)
    page = text_of(signed_in("viewer"), shop.page)
    assert "web-7d9fbc6c4-00000 1.4.1 Unhealthy CrashLoopBackOff web-7d9fbc6c4-00001" in page
    assert "3 members" not in page


def test_many_are_folded_below_a_summary_the_worst_first(shop: Shop, signed_in: SignedIn) -> None:
    members = factories.make_members(50)
    members[30] |= SICK
    members[40] |= {"is_healthy": None}
    made, *_ = factories.make_instances(shop.target, "1.4.2", "deployment/web", members=members)
    client = signed_in("viewer")
    assert f'<details class="details members" id="members-{made.pk}">' in (
        client.get(shop.page).content.decode()
    )
    page = text_of(client, shop.page)
    assert (
        "50 members, 1 unhealthy, 1 unknown web-7d9fbc6c4-00030 1.4.2 Unhealthy CrashLoopBackOff "
        "web-7d9fbc6c4-00040 1.4.2 Unknown web-7d9fbc6c4-00000 1.4.2 Healthy"
    ) in page


def test_they_cost_no_query(shop: Shop, signed_in: SignedIn) -> None:
    client = signed_in("viewer")
    costs = []
    for keys in ((), ("deployment/a",), ("deployment/b", "deployment/c")):
        factories.make_instances(shop.target, "1.4.2", *keys, members=factories.make_members(50))
        client.get(shop.page)
        costs.append([queries_of(client, path) for path in ("/", shop.page)])
    assert costs[0] == costs[1] == costs[2]


def test_the_evidence_shows_them_below_their_instance(shop: Shop, signed_in: SignedIn) -> None:
    seen = {"identity": "x", "version": "1.4.2", "is_healthy": True, "message": ""}
    few, many = factories.make_members(2, **SICK), factories.make_members(50)
    shop.bad.after = {
        "instances": [
            {"key": "a", **seen, "members": few, "expected": "1.4.1", "verdict": "DIFFERENT"},
            {"key": "b", **seen, "members": many, "expected": "1.4.2", "verdict": "DEPLOYED"},
            {"key": "c", **seen, "expected": "1.4.2", "verdict": "DEPLOYED"},
        ]
    }
    shop.bad.save()
    client = signed_in("viewer")
    path = f"/deployments/{shop.bad.pk}/"
    page = text_of(client, path)
    assert "web-7d9fbc6c4-00000 1.4.2 Unhealthy CrashLoopBackOff" in page
    assert "50 members web-7d9fbc6c4-00000 1.4.2 Healthy" in page
    assert client.get(path).content.decode().count('id="members-right1"') == 1
