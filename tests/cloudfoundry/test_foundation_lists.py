"""Lists on the suite's own foundation: pages, order, filters, labels, what is put beside them."""

from typing import Any

import pytest

from .caller import Caller, detail, to
from .foundation import Place

Json = dict[str, Any]


@pytest.fixture
def apps(caller: Caller, place: Place) -> list[str]:
    """Five, by name a to e, of which the first two are labelled."""
    made = [caller.app(place, name) for name in "cabed"]
    for guid, color in zip(made, ("green", "blue"), strict=False):
        metadata = {"labels": {"color": color, "team": "shop"}, "annotations": {"note": "x"}}
        caller.ask("PATCH", f"/v3/apps/{guid}", {"metadata": metadata})
    return made


def names(found: Json) -> list[str]:
    return [each["name"] for each in found["resources"]]


def test_pages_follow_each_other_to_the_end(caller: Caller, apps: list[str]) -> None:
    page = caller.ask("GET", "/v3/apps", per_page=2, order_by="name", names="a,b,c,d,e")
    assert page["pagination"]["total_results"] == 5
    assert page["pagination"]["total_pages"] == 3
    assert page["pagination"]["previous"] is None
    found = names(page)
    while following := page["pagination"]["next"]:
        page = caller.ask("GET", following["href"])
        found += names(page)
    assert found == list("abcde")
    assert page["pagination"]["last"]["href"].startswith(caller.foundation.api)


def test_order_is_by_creation_or_as_asked(caller: Caller, apps: list[str]) -> None:
    assert names(caller.ask("GET", "/v3/apps")) == list("cabed")
    assert names(caller.ask("GET", "/v3/apps", order_by="-name")) == list("edcba")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"names": "a,e,nobody"}, "ae"),
        ({"label_selector": "color=green"}, "c"),
        ({"label_selector": "team,color!=green"}, "a"),
        ({"label_selector": "color in (green,blue)"}, "ca"),
        ({"label_selector": "!team"}, "bed"),
        ({"label_selector": "color notin (green)", "names": "a,b"}, "ab"),
        ({"space_guids": "elsewhere"}, ""),
    ],
)
def test_filters_and_labels_leave_what_was_meant(
    caller: Caller, apps: list[str], query: Json, found: str
) -> None:
    assert names(caller.ask("GET", "/v3/apps", **query)) == list(found)


def test_guids_find_exactly_those(caller: Caller, apps: list[str]) -> None:
    found = caller.ask("GET", "/v3/apps", guids=f"{apps[0]},{apps[3]}")
    assert [each["guid"] for each in found["resources"]] == [apps[0], apps[3]]


def test_what_is_unknown_is_refused(caller: Caller) -> None:
    refused = caller.send("GET", "/v3/apps", colour="green")
    code, title, said = detail(refused)
    assert (code, title) == (400, "CF-BadQueryParameter")
    assert "Unknown query parameter(s): 'colour'" in said
    assert caller.send("GET", "/v3/apps", per_page=5001).status_code == 400
    assert caller.send("GET", "/v3/apps", order_by="color").status_code == 400


def test_spaces_and_organizations_come_along(caller: Caller, place: Place, apps: list[str]) -> None:
    found = caller.ask("GET", "/v3/apps", include="space,space.organization")["included"]
    assert [each["guid"] for each in found["spaces"]] == [place.space]
    assert [each["name"] for each in found["organizations"]] == [place.org_name]


def test_a_null_takes_a_label_away(caller: Caller, apps: list[str]) -> None:
    metadata = {"labels": {"color": None}}
    shown = caller.ask("PATCH", f"/v3/apps/{apps[0]}", {"metadata": metadata})["metadata"]
    assert shown == {"labels": {"team": "shop"}, "annotations": {"note": "x"}}


def test_a_space_is_found_by_names(caller: Caller, place: Place) -> None:
    org = caller.ask("GET", "/v3/organizations", names=place.org_name)["resources"][0]
    query = {"names": place.space_name, "organization_guids": org["guid"]}
    assert [each["guid"] for each in caller.ask("GET", "/v3/spaces", **query)["resources"]] == [
        place.space
    ]
    domains = caller.ask("GET", f"/v3/organizations/{place.org}/domains")["resources"]
    assert place.domain in [each["guid"] for each in domains]


def test_stacks_and_buildpacks_are_found_by_name(caller: Caller) -> None:
    stacks = caller.ask("GET", "/v3/stacks", names="cflinuxfs4,cflinuxfs1")
    assert names(stacks) == ["cflinuxfs4"]
    buildpacks = caller.ask("GET", "/v3/buildpacks", names="java_buildpack,cobol_buildpack")
    assert names(buildpacks) == ["java_buildpack"]


def test_a_name_is_free_or_taken(caller: Caller, place: Place, apps: list[str]) -> None:
    refused = caller.send("POST", "/v3/apps", {"name": "a", **to(space=place.space)})
    said = "App with the name 'a' already exists."
    assert detail(refused) == (422, "CF-UniquenessError", said)
    refused = caller.send("PATCH", f"/v3/apps/{apps[0]}", {"name": "a"})
    assert detail(refused)[2] == said
    renamed = caller.ask("PATCH", f"/v3/apps/{apps[1]}", {"name": "a__1"})
    assert renamed["name"] == "a__1"


def test_a_body_that_is_no_json_or_says_too_much_is_refused(caller: Caller) -> None:
    sent = caller.http.post(f"{caller.foundation.api}/v3/apps", content=b"{")
    assert detail(sent)[:2] == (400, "CF-MessageParseError")
    refused = caller.send("POST", "/v3/apps", {"name": "x", "speed": 1})
    assert detail(refused)[2] == "Unknown field(s): 'speed'"
