"""Manifests, services, sidecars and variables on the suite's own foundation, and all of a space."""

from typing import Any

import httpx
import pytest
import yaml

from .caller import Caller, detail, to
from .foundation import FakeFoundation, Place

Json = dict[str, Any]
MANIFEST = """
applications:
- name: shop
  docker: {image: "shop:1"}
  memory: 256M
  disk-quota: 1G
  instances: 2
  env: {COLOR: green, SIZE: 7}
  health-check-type: http
  health-check-http-endpoint: /health
  routes:
  - route: manifest.apps.example.test/shop
  services: [ledger]
  sidecars:
  - {name: proxy, process_types: [web], command: run-proxy, memory: 32M}
  metadata: {labels: {team: shop}}
  processes:
  - {type: worker, instances: 1, command: work, memory: 64M}
  - {type: web, instances: 3, memory: 0.5G}
"""


def apply(caller: Caller, place: Place, manifest: str) -> httpx.Response:
    url = f"{caller.foundation.api}/v3/spaces/{place.space}/actions/apply_manifest"
    headers = {"Content-Type": "application/x-yaml"}
    return caller.http.post(url, content=manifest, headers=headers)


@pytest.fixture
def ledger(caller: Caller, place: Place) -> str:
    body = {"type": "user-provided", "name": "ledger", "credentials": {"password": "s3cret"}}
    made = caller.ask("POST", "/v3/service_instances", {**body, **to(space=place.space)})
    return str(made["guid"])


def test_a_manifest_makes_an_app_as_it_says(
    foundation: FakeFoundation, caller: Caller, place: Place, ledger: str
) -> None:
    manifest = MANIFEST.replace("0.5G", "512M")
    job = caller.job(apply(caller, place, manifest))
    assert (job["operation"], job["state"]) == ("space.apply_manifest", "COMPLETE")
    app = foundation.everything(place)["apps"]["shop"]
    assert app["environment"] == {"COLOR": "green", "SIZE": "7"}
    assert app["labels"] == {"team": "shop"}
    assert app["bindings"] == ["ledger"]
    assert app["sidecars"]["proxy"]["memory"] == 32
    sizes = {each["type"]: (each["instances"], each["memory"]) for each in app["processes"]}
    assert sizes == {"web": (3, 512), "worker": (1, 64)}
    route = foundation.everything(place)["routes"]["manifest.apps.example.test/shop"]
    assert [each["app"] for each in route["destinations"]] == ["shop"]
    written = caller.send("GET", f"/v3/apps/{app['guid']}/manifest")
    assert written.headers["Content-Type"] == "application/x-yaml"
    before = foundation.everything(place)
    assert caller.job(apply(caller, place, written.text))["state"] == "COMPLETE"
    assert foundation.everything(place) == before
    shown = yaml.safe_load(written.text)["applications"][0]
    assert shown["services"] == ["ledger"]


def test_what_a_manifest_cannot_have_fails_the_job(caller: Caller, place: Place) -> None:
    job = caller.job(apply(caller, place, "applications: [{name: shop, services: [nothing]}]"))
    assert job["state"] == "FAILED"
    said = "For application 'shop': Service instance 'nothing' not found"
    assert [each["detail"] for each in job["errors"]] == [said]


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        ("applications: []", "Cannot parse manifest with no 'applications' field."),
        ("applications: [{memory: 1M}]", "For application at index 0: Name must not be empty"),
        ("[", "Request invalid due to parse error: invalid request body"),
    ],
)
def test_what_is_no_manifest_is_refused(
    caller: Caller, place: Place, manifest: str, said: str
) -> None:
    assert detail(apply(caller, place, manifest))[2] == said


def test_a_size_has_a_unit(caller: Caller, place: Place) -> None:
    job = caller.job(apply(caller, place, "applications: [{name: shop, memory: much}]"))
    assert "must use a supported unit" in job["errors"][0]["detail"]


def test_a_binding_is_made_once_and_removed(caller: Caller, place: Place, ledger: str) -> None:
    app = caller.app(place, "shop")
    body = {"type": "app", **to(app=app, service_instance=ledger)}
    binding = caller.ask("POST", "/v3/service_credential_bindings", body)["guid"]
    refused = caller.send("POST", "/v3/service_credential_bindings", body)
    assert detail(refused)[2] == "The app is already bound to the service instance"
    details = caller.ask("GET", f"/v3/service_credential_bindings/{binding}/details")
    assert details["credentials"] == {"password": "s3cret"}
    services = caller.ask("GET", f"/v3/apps/{app}/env")["system_env_json"]["VCAP_SERVICES"]
    assert services["user-provided"][0]["name"] == "ledger"
    query: Json = {"app_guids": app, "include": "service_instance"}
    listed = caller.ask("GET", "/v3/service_credential_bindings", **query)
    assert listed["included"]["service_instances"][0]["name"] == "ledger"
    gone = caller.send("DELETE", f"/v3/service_credential_bindings/{binding}")
    assert gone.status_code == 204
    assert caller.ask("GET", "/v3/service_credential_bindings", app_guids=app)["resources"] == []


def test_variables_are_merged_and_null_takes_one_away(caller: Caller, place: Place) -> None:
    app = caller.app(place, "shop")
    path = f"/v3/apps/{app}/environment_variables"
    caller.ask("PATCH", path, {"var": {"A": "1", "B": "2"}})
    found = caller.ask("PATCH", path, {"var": {"A": None, "C": "3"}})["var"]
    assert found == {"B": "2", "C": "3"}
    for given, said in (
        ({"VCAP_X": "1"}, "Var cannot start with VCAP_"),
        ({"port": "1"}, "Var cannot set PORT"),
        ({"D": True}, "Non-string value in environment variable for key 'D', value 'true'"),
    ):
        assert detail(caller.send("PATCH", path, {"var": given}))[2] == said
    assert caller.ask("GET", path)["var"] == found


def test_features_are_turned_on_and_off(caller: Caller, place: Place) -> None:
    app = caller.app(place, "shop")
    features = caller.ask("GET", f"/v3/apps/{app}/features")["resources"]
    enabled = {each["name"] for each in features if each["enabled"]}
    assert enabled == {"ssh", "revisions"}
    off = caller.ask("PATCH", f"/v3/apps/{app}/features/revisions", {"enabled": False})
    assert off["enabled"] is False
    caller.deploy(app, "shop:1")
    assert caller.ask("GET", f"/v3/apps/{app}/revisions")["resources"] == []
    assert caller.send("GET", f"/v3/apps/{app}/features/speed").status_code == 404


def test_sidecars_are_made_changed_and_removed(caller: Caller, place: Place) -> None:
    app = caller.app(place, "shop")
    body = {"name": "proxy", "command": "run", "process_types": ["web"], "memory_in_mb": 32}
    sidecar = caller.ask("POST", f"/v3/apps/{app}/sidecars", body)["guid"]
    caller.ask("PATCH", f"/v3/sidecars/{sidecar}", {"command": "walk"})
    found = caller.ask("GET", f"/v3/processes/{app}/sidecars")["resources"]
    assert [each["command"] for each in found] == ["walk"]
    assert caller.send("DELETE", f"/v3/sidecars/{sidecar}").status_code == 204
    assert caller.ask("GET", f"/v3/apps/{app}/sidecars")["resources"] == []


def test_droplets_are_copied_and_uploaded(caller: Caller, place: Place) -> None:
    app, other = caller.app(place, "shop"), caller.app(place, "other")
    droplet = caller.droplet(app, "shop:1")
    url = f"/v3/droplets?source_guid={droplet}"
    copy = caller.ask("POST", url, to(app=other))
    assert (copy["state"], copy["image"]) == ("COPYING", "shop:1")
    made = caller.ask("POST", "/v3/droplets", {**to(app=other), "process_types": {"web": "x"}})
    upload = f"{caller.foundation.api}/v3/droplets/{made['guid']}/upload"
    sent = caller.http.post(upload, files={"bits": ("droplet.tgz", b"bits", "application/gzip")})
    assert sent.json()["state"] == "PROCESSING_UPLOAD"
    assert caller.job(sent)["state"] == "COMPLETE"
    found = caller.ask("GET", f"/v3/apps/{other}/droplets", states="STAGED")["resources"]
    assert {each["guid"] for each in found} == {copy["guid"], made["guid"]}


def test_everything_tells_what_differs_and_nothing_else(
    foundation: FakeFoundation, caller: Caller, place: Place
) -> None:
    app = caller.app(place, "shop")
    route = caller.route(place, "everything", app)
    before = foundation.everything(place)
    path = f"/v3/routes/{route}/destinations"
    caller.ask("PATCH", path, {"destinations": []})
    assert foundation.everything(place) != before
    caller.ask("PATCH", path, {"destinations": [{"app": {"guid": app}}]})
    assert foundation.everything(place) == before
    caller.scale(app, 2)
    assert foundation.everything(place) != before
