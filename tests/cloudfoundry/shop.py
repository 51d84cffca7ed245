"""A service on Cloud Foundry, in a space of its own."""

import io
import os
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dashboard.models import Deployment
from rollbacks.platforms.pcf import CloudFoundry
from tests.scene import Scene, revise, scene

from .caller import Caller
from .foundation import FakeFoundation, Login, Place

Json = dict[str, Any]
IMAGE = "registry.example/shop/web"
SECRET = "not-for-captures"
SMALL: Json = {"memory": "64M", "instances": 2, "env": {"PASSWORD": SECRET}}


@dataclass
class Shop:
    """`key`: what its apps are called, before their number; `host`, `test_host`: of its routes."""

    foundation: FakeFoundation
    place: Place
    key: str
    host: str
    test_host: str
    is_docker: bool
    scales: bool
    scene: Scene
    somebody: Caller

    def publish(self, version: str) -> None:
        """The image has the version for a tag; the bits hold it in a file."""
        artifact = self.scene.artifact(version)
        artifact.location = f"{IMAGE}:{version}" if self.is_docker else _bits(version)
        artifact.save()

    def hasten(self, seconds: float, back: float = 60) -> None:
        """From now on a resize has this time, and each way back the other."""
        document = self.scene.workflow.current_revision.definition  # type: ignore[union-attr]
        phases = [
            {
                **phase,
                "steps": [
                    {**each, "timeout": seconds} if each["kind"] == "pcf.resize" else each
                    for each in phase["steps"]
                ],
                "rollback_steps": [
                    {"undo": each["name"], "timeout": back} for each in reversed(phase["steps"])
                ],
            }
            for phase in document["phases"]
        ]
        revise(self.scene.workflow, {**document, "phases": phases})

    def wants_a_route(self) -> None:
        """From now on the manifest has the other host, too."""
        document = self.scene.workflow.current_revision.definition  # type: ignore[union-attr]
        manifest = {**document["settings"]["manifest"], "routes": [self.host, self.test_host]}
        settings = {**document["settings"], "manifest": manifest}
        revise(self.scene.workflow, {**document, "settings": settings})

    def start(self, version: str) -> Deployment:
        self.publish(version)
        return self.scene.start(version)

    def deploy(self, version: str) -> Deployment:
        self.publish(version)
        return self.scene.deploy(version)

    def everything(self) -> Json:
        """All that can be described of our apps that have instances, and of every route."""
        found = self.foundation.everything(self.place)
        apps = {
            name: each
            for name, each in found["apps"].items()
            if each["annotations"] and any(process["instances"] for process in each["processes"])
        }
        return {**found, "apps": apps}

    def apps(self) -> Json:
        """All of the series, by their number."""
        found = self.foundation.everything(self.place)["apps"]
        return {name.removeprefix(f"{self.key}__"): each for name, each in found.items()}

    def counts(self, kind: str = "web") -> dict[str, int]:
        """By the number of the app."""
        return {
            number: sum(each["instances"] for each in app["processes"] if each["type"] == kind)
            for number, app in self.apps().items()
        }

    def guid(self, number: str) -> str:
        return str(self.apps()[number]["guid"])

    def route(self, host: str = "") -> Json:
        found: Json = self.foundation.everything(self.place)["routes"][host or self.host]
        return found

    def served(self, host: str = "") -> list[str]:
        """The numbers of the apps that a route sends to."""
        to = self.route(host)["destinations"]
        return [each["app"].removeprefix(f"{self.key}__") for each in to]

    def scale(self, number: str, count: int, kind: str = "web") -> None:
        """As somebody else would."""
        path = f"/v3/apps/{self.guid(number)}/processes/{kind}/actions/scale"
        self.somebody.ask("POST", path, {"instances": count})

    def map(self, host: str, app: str) -> None:
        """As somebody else would."""
        path = f"/v3/routes/{self.route(host)['guid']}/destinations"
        self.somebody.ask("POST", path, {"destinations": [{"app": {"guid": app}}]})

    def scales_by_itself(self, number: str, least: int, most: int) -> None:
        """As somebody else would."""
        url = f"{self.foundation.autoscaler}/v1/apps/{self.guid(number)}/policy"
        policy = {"instance_min_count": least, "instance_max_count": most, "scaling_rules": []}
        self.somebody.ask("PUT", url, policy)


def shop_in(
    foundation: FakeFoundation,
    *,
    workflow_type: str = "BASIC",
    is_docker: bool = True,
    phases: Sequence[Mapping[str, Any]] | None = None,
    manifest: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    routes: Sequence[str] | None = None,
    timeout: float = 120,
    place: Place | None = None,
    login: Login | None = None,
    autoscaler: bool = False,
    registries: Sequence[Json] = (),
    **definition: Any,
) -> Shop:
    """A workflow of that type with its default phases, unless others are given."""
    place = place or foundation.space()
    somebody = Caller(foundation, foundation.credential("space_developer", place))
    host, test_host = (f"{each}{place.space_name}.{place.domain_name}" for each in ("", "test-"))
    infrastructure = {
        "organization": place.org_name,
        "space": place.space_name,
        "app_name": "shop-{service}",
        "routes": [host] if routes is None else list(routes),
        "temporary_routes": [test_host],
        **({"autoscaler": foundation.autoscaler} if autoscaler else {}),
    }
    made = scene(
        workflow_type=workflow_type,
        deployment_type="PCF",
        artifact_type="DOCKER_IMAGE" if is_docker else "ZIP",
        credential=credential_of(login or foundation.credential("space_developer", place)),
        connector={
            "api": foundation.api,
            "certificate_authority": str(foundation.ca),
            "registries": list(registries),
        },
        settings=infrastructure,
        definition={
            "settings": {"manifest": manifest or SMALL, **(settings or {})},
            "phases": timed(phases or CloudFoundry().default_phases(workflow_type), timeout),
            **definition,
        },
    )
    return Shop(
        foundation, place, "shop-storefront", host, test_host, is_docker, autoscaler, made, somebody
    )


def credential_of(login: Login, kind: str = "user") -> str:
    name = f"CF_CREDENTIAL_{login.user}".replace("-", "_")
    words = ("username", "password") if kind == "user" else ("client_id", "client_secret")
    os.environ[name] = f"{words[0]}: {login.user}\n{words[1]}: {login.password}\n"
    return f"env:{name}"


def _bits(version: str) -> str:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("VERSION", version)
        archive.writestr("Procfile", "web: run\nworker: work\n")
    path = Path(tempfile.gettempdir()) / f"lastgood-shop-{os.getpid()}-{version}.zip"
    path.write_bytes(packed.getvalue())
    return str(path)


def timed(phases: Sequence[Mapping[str, Any]], seconds: float) -> list[Json]:
    """The phases, with a time limit for each step."""
    return [
        {**phase, "steps": [{"timeout": seconds, **step} for step in phase["steps"]]}
        for phase in phases
    ]


def step(kind: str, name: str = "", **settings: Any) -> Json:
    """One step of a phase."""
    return {"name": name or CloudFoundry.steps[kind].label, "kind": kind, "settings": settings}
