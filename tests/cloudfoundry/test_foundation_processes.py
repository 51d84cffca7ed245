"""Processes on the suite's own foundation: counts, sizes, quotas, fates, the autoscaler."""

from typing import Any

import pytest

from .caller import Caller, detail, until
from .foundation import FakeFoundation, Fate, Place


@pytest.fixture
def app(caller: Caller, place: Place) -> str:
    made = caller.app(place, "shop")
    caller.deploy(made, "shop:1", instances=2)
    caller.running(made, 2)
    return made


def test_scaling_takes_a_moment_and_leaves_the_others_alone(caller: Caller, app: str) -> None:
    stats = f"/v3/apps/{app}/processes/web/stats"
    before = [each["instance_guid"] for each in caller.ask("GET", stats)["resources"]]
    assert caller.scale(app, 3)["instances"] == 3
    assert caller.states(app)[:2] == ["RUNNING", "RUNNING"]
    caller.running(app, 3)
    after = caller.ask("GET", stats)["resources"]
    assert [each["instance_guid"] for each in after[:2]] == before
    assert after[2]["mem_quota"] == 1024 * 1024 * 1024
    caller.scale(app, 1)
    assert caller.states(app) == ["RUNNING"]


def test_a_droplet_takes_effect_with_the_next_start(
    foundation: FakeFoundation, caller: Caller, app: str
) -> None:
    droplet = caller.droplet(app, "shop:2")
    current = f"/v3/apps/{app}/relationships/current_droplet"
    caller.ask("PATCH", current, {"data": {"guid": droplet}})
    caller.scale(app, 3)
    until(lambda: foundation.instances(app) == {("RUNNING", "shop:1"): 3})
    caller.ask("POST", f"/v3/apps/{app}/actions/restart")
    until(lambda: foundation.instances(app) == {("RUNNING", "shop:2"): 3})


def test_a_stopped_app_has_nothing_up(foundation: FakeFoundation, caller: Caller, app: str) -> None:
    assert caller.ask("POST", f"/v3/apps/{app}/actions/stop")["state"] == "STOPPED"
    assert caller.states(app) == ["DOWN", "DOWN"]
    assert not foundation.instances(app)
    assert caller.ask("POST", f"/v3/apps/{app}/actions/start")["state"] == "STARTED"
    caller.running(app, 2)


def test_an_app_without_a_droplet_does_not_start(caller: Caller, place: Place) -> None:
    empty = caller.app(place, "empty")
    refused = caller.send("POST", f"/v3/apps/{empty}/actions/start")
    said = "Assign a droplet before starting this app."
    assert detail(refused) == (422, "CF-UnprocessableEntity", said)


def test_one_of_several_may_fare_worse(
    foundation: FakeFoundation, caller: Caller, app: str
) -> None:
    foundation.behave("shop:mixed", Fate.NEVER_STARTS, index=1)
    caller.deploy(app, "shop:mixed", instances=3)
    until(lambda: caller.states(app), ["RUNNING", "STARTING", "RUNNING"].__eq__)


def test_a_crash_is_an_event_of_the_app(
    foundation: FakeFoundation, caller: Caller, app: str, place: Place
) -> None:
    query: dict[str, Any] = {"types": "app.process.crash", "target_guids": app}
    assert caller.ask("GET", "/v3/audit_events", **query)["resources"] == []
    foundation.behave("shop:falls", Fate.CRASHES)
    caller.deploy(app, "shop:falls", instances=1)
    until(lambda: caller.states(app), ["CRASHED"].__eq__)
    event = caller.ask("GET", "/v3/audit_events", **query)["resources"][0]
    assert event["target"] == {"guid": app, "type": "app", "name": "shop"}
    assert event["data"]["exit_description"] == "APP/PROC/WEB: Exited with status 1"
    with Caller(foundation, foundation.credential("space_manager", place)) as manager:
        assert manager.ask("GET", "/v3/audit_events", **query)["resources"] == []


def test_what_finds_no_room_is_down_and_says_why(
    foundation: FakeFoundation, caller: Caller, app: str
) -> None:
    foundation.behave("shop:large", Fate.IS_NOT_PLACED)
    caller.deploy(app, "shop:large", instances=1)
    stats = f"/v3/apps/{app}/processes/web/stats"
    found = until(
        lambda: caller.ask("GET", stats)["resources"][0], lambda now: now["details"] is not None
    )
    assert (found["state"], found["details"]) == ("DOWN", "insufficient resources: memory")


def test_a_failed_build_says_why(foundation: FakeFoundation, caller: Caller, app: str) -> None:
    foundation.behave("shop:broken", Fate.FAILS_STAGING)
    with pytest.raises(AssertionError, match="App staging failed"):
        caller.droplet(app, "shop:broken")


def test_one_instance_is_replaced(caller: Caller, app: str) -> None:
    stats = f"/v3/apps/{app}/processes/web/stats"
    before = [each["instance_guid"] for each in caller.ask("GET", stats)["resources"]]
    gone = caller.send("DELETE", f"/v3/processes/{app}/instances/0")
    assert gone.status_code == 204
    caller.running(app, 2)
    after = [each["instance_guid"] for each in caller.ask("GET", stats)["resources"]]
    assert (after[0] != before[0], after[1] == before[1]) == (True, True)
    assert caller.send("DELETE", f"/v3/processes/{app}/instances/7").status_code == 404


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"memory": 2048}, "memory quota_exceeded"),
        ({"space_memory": 2048}, "memory space_quota_exceeded"),
        ({"instances": 2}, "app_instance_limit app_instance_limit_exceeded"),
        ({"space_instances": 2}, "app_instance_limit space_app_instance_limit_exceeded"),
    ],
)
def test_quotas_are_kept_by_what_runs(
    foundation: FakeFoundation, limits: dict[str, Any], said: str
) -> None:
    place = foundation.space(**limits)
    with Caller(foundation, foundation.credential("space_developer", place)) as caller:
        app, other = caller.app(place, "shop"), caller.app(place, "other")
        caller.deploy(app, "shop:1", instances=2)
        path = f"/v3/apps/{app}/processes/web/actions/scale"
        refused = caller.send("POST", path, {"instances": 3})
        assert detail(refused) == (422, "CF-UnprocessableEntity", said)
        current = f"/v3/apps/{other}/relationships/current_droplet"
        caller.ask("PATCH", current, {"data": {"guid": caller.droplet(other, "shop:1")}})
        refused = caller.send("POST", f"/v3/apps/{other}/actions/start")
        assert detail(refused)[2] == said
        caller.scale(app, 1)
        caller.ask("POST", f"/v3/apps/{other}/actions/start")


def test_a_deployment_needs_room_beside_what_runs(foundation: FakeFoundation) -> None:
    place = foundation.space(space_memory=1024)
    with Caller(foundation, foundation.credential("space_developer", place)) as caller:
        app = caller.app(place, "shop")
        caller.deploy(app, "shop:1")
        body = {"relationships": {"app": {"data": {"guid": app}}}}
        refused = caller.send("POST", "/v3/deployments", body)
        assert detail(refused)[2].startswith(
            f"memory space_quota_exceeded for space {place.space_name}. "
            "This space's quota may not be large enough to support rolling deployments"
        )
        usage = caller.ask("GET", f"/v3/spaces/{place.space}/usage_summary")["usage_summary"]
        assert (usage["started_instances"], usage["memory_in_mb"]) == (1, 1024)
        quota = caller.ask("GET", "/v3/space_quotas", space_guids=place.space)["resources"][0]
        assert quota["apps"]["total_memory_in_mb"] == 1024


def test_an_autoscaler_keeps_counts_within_its_policy(
    foundation: FakeFoundation, caller: Caller, app: str
) -> None:
    policy = f"{foundation.autoscaler}/v1/apps/{app}/policy"
    missing = caller.send("GET", policy)
    said = {"code": "Not Found", "message": "No policy bound with application"}
    assert (missing.status_code, missing.json()) == (404, said)
    assert caller.send("DELETE", policy).status_code == 404
    bounds = {"instance_min_count": 3, "instance_max_count": 5}
    assert caller.send("PUT", policy, bounds).status_code == 201
    caller.running(app, 3)
    caller.scale(app, 0)
    assert caller.ask("GET", policy) == bounds
    caller.scale(app, 6)
    caller.running(app, 5)
    assert caller.send("PUT", policy, {**bounds, "instance_max_count": 6}).status_code == 200
    assert caller.send("DELETE", policy).status_code == 200
    assert caller.send("PUT", policy, {"instance_min_count": 0}).status_code == 400
    with Caller(foundation, foundation.credential(None)) as stranger:
        assert stranger.send("GET", policy).status_code == 401
