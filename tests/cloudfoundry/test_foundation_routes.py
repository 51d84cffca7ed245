"""Routes on the suite's own foundation: destinations, weights, and who answers."""

from typing import Any

import pytest

from .caller import Caller, destinations, detail, to, until
from .foundation import FakeFoundation, Fate, Place

Json = dict[str, Any]


@pytest.fixture
def apps(caller: Caller, place: Place) -> tuple[str, str]:
    """One instance each of shop:old and shop:new, running."""
    made = caller.app(place, "old"), caller.app(place, "new")
    for app, image in zip(made, ("shop:old", "shop:new"), strict=True):
        caller.deploy(app, image)
        caller.running(app, 1)
    return made


def patch(caller: Caller, route: str, body: Json) -> Any:
    return caller.send("PATCH", f"/v3/routes/{route}/destinations", body)


def post(caller: Caller, route: str, body: Json) -> Any:
    return caller.send("POST", f"/v3/routes/{route}/destinations", body)


def shown(answer: Any) -> list[tuple[str, int | None]]:
    return [(each["app"]["guid"], each["weight"]) for each in answer.json()["destinations"]]


def test_destinations_are_inserted_replaced_and_removed(
    caller: Caller, place: Place, apps: tuple[str, str]
) -> None:
    old, new = apps
    route = caller.route(place, "changing", old)
    held = caller.ask("GET", f"/v3/routes/{route}/destinations")["destinations"][0]
    assert held["app"] == {"guid": old, "process": {"type": "web"}}
    assert (held["port"], held["protocol"]) == (8080, "http1")
    assert shown(post(caller, route, destinations(old, new))) == [(old, None), (new, None)]
    replaced = patch(caller, route, destinations(new, old)).json()["destinations"]
    assert held["guid"] == replaced[1]["guid"]  # what stays keeps its GUID
    gone = caller.send("DELETE", f"/v3/routes/{route}/destinations/{held['guid']}")
    assert gone.status_code == 204
    assert shown(caller.send("GET", f"/v3/routes/{route}/destinations")) == [(new, None)]
    again = caller.send("DELETE", f"/v3/routes/{route}/destinations/{held['guid']}")
    assert detail(again)[2].startswith("Unable to unmap route from destination.")


def test_weights_are_all_or_none_and_stay_together(
    caller: Caller, place: Place, apps: tuple[str, str]
) -> None:
    old, new = apps
    route = caller.route(place, "weights", old)
    assert detail(post(caller, route, destinations(new, weights=(5,))))[2] == (
        "Destinations[0]: weighted destinations can only be used when replacing all destinations."
    )
    for weights, said in (
        ((50, 60), "Destinations must have weights that sum to 100."),
        ((50,), "Destinations cannot contain both weighted and unweighted destinations."),
        ((0, 100), "Destinations[0]: weight must be a positive integer between 1 and 100."),
    ):
        refused = patch(caller, route, destinations(old, new, weights=weights))
        assert detail(refused) == (422, "CF-UnprocessableEntity", said)
    weighted = patch(caller, route, destinations(old, new, weights=(20, 80)))
    assert shown(weighted) == [(old, 20), (new, 80)]
    guid = weighted.json()["destinations"][0]["guid"]
    said = detail(caller.send("DELETE", f"/v3/routes/{route}/destinations/{guid}"))[2]
    assert said == "Weighted destinations cannot be deleted individually."
    assert detail(post(caller, route, destinations(new)))[2] == (
        "Destinations cannot be inserted when there are weighted destinations already configured."
    )
    assert shown(patch(caller, route, destinations())) == []


def test_destinations_have_to_be_there_and_of_the_same_space(
    foundation: FakeFoundation, caller: Caller, place: Place, apps: tuple[str, str]
) -> None:
    route = caller.route(place, "foreign", apps[0])
    assert detail(post(caller, route, destinations("gone")))[2] == (
        'App(s) with guid(s) "gone" do not exist.'
    )
    elsewhere = foundation.space()
    with Caller(foundation, foundation.credential("space_developer", place, elsewhere)) as both:
        other = both.app(elsewhere, "other")
        assert detail(post(both, route, destinations(other)))[2] == (
            "Routes destinations must be in either the route's space or the route's shared spaces"
        )
    assert "you do not have access" in detail(post(caller, route, destinations(other)))[2]
    twice = destinations(apps[1], apps[1])
    assert detail(post(caller, route, twice))[2] == (
        "Destinations cannot contain duplicate entries"
    )


def test_a_route_is_reserved_found_and_deleted(caller: Caller, place: Place) -> None:
    reserved = f"/v3/domains/{place.domain}/route_reservations?host=mine&path=%2Fshop"
    assert not caller.ask("GET", reserved)["matching_route"]
    route = caller.route(place, "mine", path="/shop")
    assert caller.ask("GET", reserved)["matching_route"]
    taken = {"host": "mine", "path": "/shop", **to(space=place.space, domain=place.domain)}
    assert detail(caller.send("POST", "/v3/routes", taken))[2] == (
        "Route already exists with host 'mine' and path '/shop' for domain 'apps.example.test'."
    )
    query: Json = {"hosts": "mine", "domain_guids": place.domain, "paths": "/shop"}
    found = caller.ask("GET", "/v3/routes", **query, space_guids=place.space)["resources"]
    assert [each["url"] for each in found] == ["mine.apps.example.test/shop"]
    assert caller.job(caller.send("DELETE", f"/v3/routes/{route}"))["state"] == "COMPLETE"
    assert caller.send("GET", f"/v3/routes/{route}").status_code == 404


def test_routes_of_an_app_are_found_both_ways(
    caller: Caller, place: Place, apps: tuple[str, str]
) -> None:
    old, new = apps
    routes = {caller.route(place, "first", old, new), caller.route(place, "second", new)}
    by_app = caller.ask("GET", f"/v3/apps/{new}/routes")["resources"]
    assert {each["guid"] for each in by_app} == routes
    assert len(caller.ask("GET", "/v3/routes", app_guids=old)["resources"]) == 1


def test_only_running_instances_answer(
    foundation: FakeFoundation, caller: Caller, place: Place, apps: tuple[str, str]
) -> None:
    url = "answering.apps.example.test"
    assert foundation.ask(url).status == 404
    caller.route(place, "answering", apps[0])
    assert foundation.ask(url, "/any/path").version == "shop:old"
    caller.scale(apps[0], 0)
    until(lambda: foundation.ask(url).status == 503)
    caller.scale(apps[0], 1)
    until(lambda: foundation.ask(url).status == 200)
    foundation.behave("shop:old", Fate.IS_NOT_READY)
    assert caller.states(apps[0]) == ["RUNNING"]
    assert foundation.ask(url).status == 503
    foundation.behave("shop:old", Fate.RUNS)


def test_the_longest_path_wins_and_a_swap_is_seen_at_once(
    foundation: FakeFoundation, caller: Caller, place: Place, apps: tuple[str, str]
) -> None:
    old, new = apps
    url = "paths.apps.example.test"
    whole = caller.route(place, "paths", old)
    caller.route(place, "paths", new, path="/new")
    assert [foundation.ask(url, path).app for path in ("/", "/new/1", "/newer")] == [
        "old",
        "new",
        "old",
    ]
    patch(caller, whole, destinations(new))
    assert foundation.ask(url, "/").app == "new"


@pytest.mark.parametrize(("weighs", "least", "most"), [(False, 20, 80), (True, 85, 100)])
def test_weights_move_requests_only_where_a_router_still_weighs(
    weighs: bool, least: int, most: int
) -> None:
    with FakeFoundation(weighs=weighs) as foundation:
        place = foundation.space()
        with Caller(foundation, foundation.credential()) as caller:
            old, new = caller.app(place, "old"), caller.app(place, "new")
            for app in (old, new):
                caller.deploy(app, f"shop:{app}")
                caller.running(app, 1)
            weighted = destinations(old, new, weights=(1, 99))
            patch(caller, caller.route(place, "weighed"), weighted)
        asked = [foundation.ask("weighed.apps.example.test").app for _ in range(100)]
    assert least < asked.count("new") <= most
