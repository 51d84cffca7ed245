"""Rolling and canary deployments on the suite's own foundation, canceled and rolled back, too."""

from typing import Any

import pytest

from .caller import Caller, detail, to, until
from .foundation import FakeFoundation, Fate, Place

Json = dict[str, Any]


@pytest.fixture
def app(caller: Caller, place: Place) -> str:
    """Four instances of shop:1."""
    made = caller.app(place, "shop")
    caller.deploy(made, "shop:1", instances=4)
    caller.running(made, 4)
    return made


def begun(caller: Caller, app: str, **more: Any) -> str:
    return str(caller.ask("POST", "/v3/deployments", {**to(app=app), **more})["guid"])


def status(caller: Caller, deployment: str) -> tuple[str, str]:
    found = caller.ask("GET", f"/v3/deployments/{deployment}")["status"]
    return found["value"], found["reason"]


def reaches(caller: Caller, deployment: str, value: str, reason: str) -> None:
    until(lambda: status(caller, deployment), lambda now: now == (value, reason))


def cancel(caller: Caller, deployment: str) -> None:
    caller.ask("POST", f"/v3/deployments/{deployment}/actions/cancel")
    reaches(caller, deployment, "FINALIZED", "CANCELED")


def revisions(caller: Caller, app: str) -> list[Json]:
    return list(caller.ask("GET", f"/v3/apps/{app}/revisions")["resources"])


def test_a_rolling_deployment_replaces_one_after_the_other_and_somebody_always_answers(
    foundation: FakeFoundation, caller: Caller, place: Place, app: str
) -> None:
    caller.route(place, "rolling", app)
    droplet = caller.droplet(app, "shop:2")
    deployment = begun(caller, app, droplet={"guid": droplet})
    assert status(caller, deployment) == ("ACTIVE", "DEPLOYING")
    seen: set[tuple[int, int]] = set()

    def is_over() -> bool:
        replies = [foundation.ask("rolling.apps.example.test") for _ in range(3)]
        assert {each.status for each in replies} == {200}
        running = foundation.instances(app)
        seen.add((running["RUNNING", "shop:1"], running["RUNNING", "shop:2"]))
        return status(caller, deployment) == ("FINALIZED", "DEPLOYED")

    until(is_over)
    assert all(old + new >= 4 and new <= 4 for old, new in seen if (old, new) != (0, 4))
    assert foundation.instances(app) == {("RUNNING", "shop:2"): 4}
    processes = caller.ask("GET", f"/v3/apps/{app}/processes")["resources"]
    assert [each["guid"] != app for each in processes] == [True]


def test_scaling_and_assigning_wait_for_a_deployment(caller: Caller, app: str) -> None:
    caller.foundation.behave("shop:stuck", Fate.NEVER_STARTS)
    droplet = caller.droplet(app, "shop:stuck")
    begun(caller, app, droplet={"guid": droplet})
    path = f"/v3/apps/{app}/processes/web/actions/scale"
    refused = caller.send("POST", path, {"instances": 5})
    said = "Cannot scale this process while a deployment is in flight."
    assert detail(refused) == (422, "CF-UnprocessableEntity", said)
    current = f"/v3/apps/{app}/relationships/current_droplet"
    refused = caller.send("PATCH", current, {"data": {"guid": droplet}})
    assert "deployment in progress" in detail(refused)[2]


def test_a_crashing_version_leaves_the_deployment_active_until_it_is_canceled(
    foundation: FakeFoundation, caller: Caller, app: str
) -> None:
    foundation.behave("shop:bad", Fate.CRASHES)
    before = caller.ask("GET", f"/v3/apps/{app}/droplets/current")["guid"]
    deployment = begun(caller, app, droplet={"guid": caller.droplet(app, "shop:bad")})
    until(lambda: foundation.instances(app)["CRASHED", "shop:bad"])
    assert status(caller, deployment) == ("ACTIVE", "DEPLOYING")
    assert foundation.instances(app)["RUNNING", "shop:1"] == 4
    cancel(caller, deployment)
    assert foundation.instances(app) == {("RUNNING", "shop:1"): 4}
    assert caller.ask("GET", f"/v3/apps/{app}/droplets/current")["guid"] == before
    refused = caller.send("POST", f"/v3/deployments/{deployment}/actions/cancel")
    said = "Cannot cancel a deployment with status: FINALIZED and reason: CANCELED"
    assert detail(refused)[::2] == (422, said)


def test_a_canary_waits_after_each_step(
    foundation: FakeFoundation, caller: Caller, app: str
) -> None:
    steps = {"canary": {"steps": [{"instance_weight": 25}, {"instance_weight": 50}]}}
    droplet = {"guid": caller.droplet(app, "shop:2")}
    deployment = begun(caller, app, droplet=droplet, strategy="canary", options=steps)
    for new, old in ((1, 4), (2, 3)):
        reaches(caller, deployment, "ACTIVE", "PAUSED")
        found = foundation.instances(app)
        assert (found["RUNNING", "shop:2"], found["RUNNING", "shop:1"]) == (new, old)
        caller.ask("POST", f"/v3/deployments/{deployment}/actions/continue")
    reaches(caller, deployment, "FINALIZED", "DEPLOYED")
    assert foundation.instances(app) == {("RUNNING", "shop:2"): 4}
    refused = caller.send("POST", f"/v3/deployments/{deployment}/actions/continue")
    said = "Cannot continue a deployment with status: FINALIZED and reason: DEPLOYED"
    assert detail(refused)[::2] == (422, said)


def test_a_paused_canary_is_canceled(foundation: FakeFoundation, caller: Caller, app: str) -> None:
    droplet = {"guid": caller.droplet(app, "shop:2")}
    deployment = begun(caller, app, droplet=droplet, strategy="canary")
    reaches(caller, deployment, "ACTIVE", "PAUSED")
    cancel(caller, deployment)
    assert foundation.instances(app) == {("RUNNING", "shop:1"): 4}


def test_a_newer_deployment_supersedes_an_older_one(
    foundation: FakeFoundation, caller: Caller, app: str
) -> None:
    foundation.behave("shop:slow", Fate.NEVER_STARTS)
    older = begun(caller, app, droplet={"guid": caller.droplet(app, "shop:slow")})
    newer = begun(caller, app, droplet={"guid": caller.droplet(app, "shop:3")})
    assert status(caller, older) == ("FINALIZED", "SUPERSEDED")
    reaches(caller, newer, "FINALIZED", "DEPLOYED")
    assert foundation.instances(app) == {("RUNNING", "shop:3"): 4}


def test_a_revision_brings_back_droplet_and_variables(
    foundation: FakeFoundation, caller: Caller, app: str
) -> None:
    caller.ask("PATCH", f"/v3/apps/{app}/environment_variables", {"var": {"COLOR": "green"}})
    droplet = caller.droplet(app, "shop:2")
    reaches(caller, begun(caller, app, droplet={"guid": droplet}), "FINALIZED", "DEPLOYED")
    first, second = revisions(caller, app)
    assert first["description"] == "Initial revision."
    said = "New droplet deployed. New environment variables deployed."
    assert second["description"] == said
    deployment = begun(caller, app, revision={"guid": first["guid"]})
    reaches(caller, deployment, "FINALIZED", "DEPLOYED")
    assert foundation.instances(app) == {("RUNNING", "shop:1"): 4}
    assert caller.ask("GET", f"/v3/apps/{app}/environment_variables")["var"] == {}
    third = revisions(caller, app)[2]
    assert third["description"].endswith("Rolled back to revision 1.")
    deployed = caller.ask("GET", f"/v3/apps/{app}/revisions/deployed")["resources"]
    assert [each["version"] for each in deployed] == [3]


def test_a_rollback_that_was_canceled_once_is_refused_afterwards(
    foundation: FakeFoundation, caller: Caller, app: str
) -> None:
    """As reported of the real one in cloud_controller_ng, numbers 1964 and 4232."""
    droplet = caller.droplet(app, "shop:2")
    reaches(caller, begun(caller, app, droplet={"guid": droplet}), "FINALIZED", "DEPLOYED")
    back = {"guid": revisions(caller, app)[0]["guid"]}
    foundation.behave("shop:1", Fate.NEVER_STARTS)
    cancel(caller, begun(caller, app, revision=back))
    foundation.behave("shop:1", Fate.RUNS)
    refused = caller.send("POST", "/v3/deployments", {**to(app=app), "revision": back})
    assert detail(refused) == (
        422,
        "CF-UnprocessableEntity",
        "Unable to rollback. The code and configuration you are rolling back to "
        "is the same as the deployed revision.",
    )
    assert foundation.instances(app) == {("RUNNING", "shop:2"): 4}
    by_droplet = {"guid": revisions(caller, app)[0]["droplet"]["guid"]}
    reaches(caller, begun(caller, app, droplet=by_droplet), "FINALIZED", "DEPLOYED")
    assert foundation.instances(app) == {("RUNNING", "shop:1"): 4}


def test_an_expired_droplet_is_neither_deployed_nor_run(
    foundation: FakeFoundation, caller: Caller, app: str
) -> None:
    before = caller.ask("GET", f"/v3/apps/{app}/droplets/current")["guid"]
    droplet = caller.droplet(app, "shop:2")
    reaches(caller, begun(caller, app, droplet={"guid": droplet}), "FINALIZED", "DEPLOYED")
    foundation.expire(before)
    first = revisions(caller, app)[0]
    assert first["deployable"] is False
    refused = caller.send(
        "POST", "/v3/deployments", {**to(app=app), "revision": {"guid": first["guid"]}}
    )
    assert detail(refused)[2] == (
        "Unable to deploy this revision, the droplet for this revision no longer exists."
    )
    current = f"/v3/apps/{app}/relationships/current_droplet"
    caller.ask("PATCH", current, {"data": {"guid": before}})
    caller.ask("POST", f"/v3/apps/{app}/actions/restart")
    until(lambda: caller.states(app) == ["CRASHED"] * 4)


def test_a_deployment_of_a_stopped_app_is_done_at_once(caller: Caller, app: str) -> None:
    caller.ask("POST", f"/v3/apps/{app}/actions/stop")
    sizes = {"web_instances": 2, "memory_in_mb": 128}
    droplet = {"guid": caller.droplet(app, "shop:2")}
    deployment = begun(caller, app, droplet=droplet, options=sizes)
    assert status(caller, deployment) == ("FINALIZED", "DEPLOYED")
    assert caller.ask("GET", f"/v3/apps/{app}")["state"] == "STARTED"
    web = caller.ask("GET", f"/v3/apps/{app}/processes/web")
    assert (web["instances"], web["memory_in_mb"]) == (2, 128)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"strategy": "blue"}, "Strategy 'blue' is not a supported deployment strategy"),
        ({"options": {"speed": 1}}, "Options has unsupported key(s): speed"),
        ({"options": {"max_in_flight": 0}}, "Max in flight must be an integer greater than 0"),
        (
            {"options": {"canary": {"steps": []}}},
            "Options.canary are only valid for Canary deployments",
        ),
        ({"revision": {"guid": "gone"}}, "The revision does not exist"),
        (
            {"droplet": {"guid": "gone"}},
            "Unable to assign current droplet. Ensure the droplet exists and belongs to this app.",
        ),
    ],
)
def test_what_cannot_be_deployed_is_refused(
    caller: Caller, place: Place, more: Json, said: str
) -> None:
    app = caller.app(place, "shop")
    refused = caller.send("POST", "/v3/deployments", {**to(app=app), **more})
    assert detail(refused) == (422, "CF-UnprocessableEntity", said)
