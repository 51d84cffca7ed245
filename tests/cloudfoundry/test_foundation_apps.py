"""Apps on the suite's own foundation: from bits or an image to instances, and away again."""

from .caller import Caller, archive, detail, to, until
from .foundation import FakeFoundation, Fate, Place, Timing


def test_an_image_becomes_instances_that_answer(
    foundation: FakeFoundation, caller: Caller, place: Place
) -> None:
    app = caller.app(place, "shop")
    caller.deploy(app, "shop:1", instances=2)
    assert set(caller.states(app)) <= {"DOWN", "STARTING", "RUNNING"}
    caller.running(app, 2)
    caller.route(place, "one", app)
    assert foundation.ask("one.apps.example.test").version == "shop:1"


def test_bits_are_uploaded_processed_and_staged(caller: Caller, place: Place) -> None:
    app = caller.app(place, "shop", "buildpack")
    package = caller.ask("POST", "/v3/packages", {"type": "bits", **to(app=app)})
    assert package["state"] == "AWAITING_UPLOAD"
    bits = archive(VERSION="2", Procfile="web: run\nworker: work\n")
    upload = f"{caller.foundation.api}/v3/packages/{package['guid']}/upload"
    answer = caller.http.post(upload, files={"bits": ("app.zip", bits, "application/zip")})
    assert answer.json()["state"] == "PROCESSING_UPLOAD"
    here = f"/v3/packages/{package['guid']}"
    until(lambda: caller.ask("GET", here), lambda now: now["state"] == "READY")
    droplet = caller.ask("GET", f"/v3/droplets/{caller.staged(package['guid'])}")
    assert droplet["process_types"] == {"web": "run", "worker": "work"}
    current = f"/v3/apps/{app}/relationships/current_droplet"
    caller.ask("PATCH", current, {"data": {"guid": droplet["guid"]}})
    found = caller.ask("GET", f"/v3/apps/{app}/processes")["resources"]
    assert [(each["type"], each["instances"]) for each in found] == [("web", 1), ("worker", 0)]


def test_what_is_no_archive_fails_as_a_package(caller: Caller, place: Place) -> None:
    app = caller.app(place, "shop", "buildpack")
    guid = caller.ask("POST", "/v3/packages", {"type": "bits", **to(app=app)})["guid"]
    upload = f"{caller.foundation.api}/v3/packages/{guid}/upload"
    caller.http.post(upload, files={"bits": ("app.zip", b"no", "application/zip")})
    here = f"/v3/packages/{guid}"
    until(lambda: caller.ask("GET", here), lambda now: now["state"] == "FAILED")


def test_versions_fare_as_they_were_told(
    foundation: FakeFoundation, caller: Caller, place: Place
) -> None:
    foundation.behave("shop:crashes", Fate.CRASHES)
    foundation.behave("shop:never", Fate.NEVER_STARTS)
    app = caller.app(place, "shop")
    caller.deploy(app, "shop:crashes")
    until(lambda: caller.states(app), lambda states: states == ["CRASHED"])
    caller.deploy(app, "shop:never")
    until(lambda: caller.states(app), lambda states: states == ["STARTING"])


def test_an_app_is_deleted_by_a_job(caller: Caller, place: Place) -> None:
    app = caller.app(place, "shop")
    route = caller.route(place, "deleted", app)
    job = caller.job(caller.send("DELETE", f"/v3/apps/{app}"))
    assert (job["operation"], job["state"], job["errors"]) == ("app.delete", "COMPLETE", [])
    assert detail(caller.send("GET", f"/v3/apps/{app}")) == (
        404,
        "CF-ResourceNotFound",
        "App not found",
    )
    assert caller.ask("GET", f"/v3/routes/{route}/destinations")["destinations"] == []


def test_what_cannot_be_staged_is_refused(caller: Caller, place: Place) -> None:
    app, other = caller.app(place, "shop", "buildpack"), caller.app(place, "other")
    bits = caller.ask("POST", "/v3/packages", {"type": "bits", **to(app=app)})["guid"]
    refused = caller.send("POST", "/v3/builds", {"package": {"guid": bits}})
    said = "Bad request: Cannot stage package whose state is not ready."
    assert detail(refused) == (400, "CF-BadRequest", said)
    refused = caller.send("POST", "/v3/builds", {"package": {"guid": "gone"}})
    assert detail(refused)[2].startswith("Unable to use package.")
    docker = {"type": "docker", "data": {"image": "shop:1"}}
    refused = caller.send("POST", "/v3/packages", {**docker, **to(app=app)})
    assert detail(refused)[2] == "Cannot create Docker package for a buildpack app."
    package = {"guid": caller.ask("POST", "/v3/packages", {**docker, **to(app=other)})["guid"]}
    caller.foundation.timing.stage = 60.0
    caller.ask("POST", "/v3/builds", {"package": package})
    caller.foundation.timing.stage = Timing.stage
    refused = caller.send("POST", "/v3/builds", {"package": package})
    assert detail(refused)[:2] == (422, "CF-StagingInProgress")
