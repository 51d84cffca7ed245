"""A service on Windows hosts: a site, an application in one, or a Windows service."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dashboard.models import Deployment
from rollbacks.platforms.winrm import Winrm
from tests.artifacts import checksum, zip_artifact
from tests.scene import Scene, scene
from tests.winrm.host import Fleet, Host
from tests.winrm.host.fleet import PASSWORD

Json = dict[str, Any]
ROOT = "C:\\Artifacts"
THINGS = ["site", "application", "service"]
_SETTINGS: dict[str, Json] = {
    "site": {"site": "Shop-Blue"},
    "application": {"site": "Shop-Blue", "application": "/api"},
    "service": {"windows_service": "Worker-Blue", "executable": "bin\\Worker.exe"},
}
_PAIRS: dict[str, Json] = {
    "site": {"stage_site": "Shop-Green", "production_binding": "*:{production}:"},
    "application": {"stage_site": "Shop-Green", "production_binding": "*:{production}:"},
    "service": {"stage_windows_service": "Worker-Green"},
}
_PAGES = {"site": "/", "application": "/api"}


@dataclass
class Shop:
    fleet: Fleet
    scene: Scene
    artifacts: Path

    def publish(self, version: str, page: str = "") -> None:
        """`page`: what its pages and its program say; "broken" is never well."""
        content = artifact_of(page or version)
        path = self.artifacts / f"{version}.zip"
        path.write_bytes(content)
        artifact = self.scene.artifact(version)
        artifact.location, artifact.checksum = str(path), checksum(content)
        artifact.save()

    def start(self, version: str, page: str = "") -> Deployment:
        self.publish(version, page)
        return self.scene.start(version)

    def deploy(self, version: str, page: str = "") -> Deployment:
        self.publish(version, page)
        return self.scene.deploy(version)

    def everything(self) -> Json:
        """All that can be described of every host."""
        return {name: described(host) for name, host in self.fleet.hosts.items()}

    def calm(self) -> None:
        """Nothing goes wrong any more."""
        for host in self.fleet.hosts.values():
            host.shells.before = host.shells.after = lambda call: None

    def changes(self) -> list[str]:
        return [each for host in self.fleet.hosts.values() for each in host.shells.changes()]


def described(host: Host) -> Json:
    windows = host.windows
    return {
        "files": windows.disk.tree(ROOT),
        "sites": {
            name: (dict(s.paths), list(s.bindings), s.state) for name, s in windows.sites.items()
        },
        "pools": {name: (each.state, dict(each.loaded)) for name, each in windows.pools.items()},
        "services": {
            name: (each.path, each.state, each.mode, each.running)
            for name, each in windows.services.items()
        },
    }


def artifact_of(page: str) -> bytes:
    return zip_artifact(
        {"index.html": f"<p>{page}</p>", "bin/Worker.exe": page, "x.bin": page * 99}
    )


def furnish(fleet: Fleet, thing: str) -> None:
    """What somebody set up once on each host: a pair, of which the blue one serves."""
    for host in fleet.hosts.values():
        windows = host.windows
        if thing == "service":
            windows.add_service("Worker-Blue", "C:\\Worker\\old.exe", runs=True)
            windows.add_service("Worker-Green", "C:\\Worker\\spare.exe", runs=False)
            continue
        windows.add_site("Shop-Blue", "C:\\inetpub\\blue", f"http *:{host.production}:")
        windows.add_site("Shop-Green", "C:\\inetpub\\green", f"http *:{host.stage}:")
        for name in ("Shop-Blue", "Shop-Green"):
            windows.sites[name].paths["/api", "/"] = f"C:\\inetpub\\{name}\\api"
            windows.disk.make(f"C:\\inetpub\\{name}\\api")
            windows.load(f"{name} pool")


def settings_of(thing: str, workflow_type: str) -> Json:
    return {**_SETTINGS[thing], **(_PAIRS[thing] if workflow_type == "BLUE_GREEN" else {})}


def checks_of(thing: str, workflow_type: str) -> Json:
    """Of the definition: health checks by URL, where there is one."""
    if thing not in _PAGES:
        return {"health_timeout": 0.1}
    checks: Json = {"health_timeout": 0.1}
    checks["health_check"] = {"url": f"http://{{address}}:{{production}}{_PAGES[thing]}"}
    if workflow_type == "BLUE_GREEN":
        checks["stage_health_check"] = {"url": f"http://{{address}}:{{stage}}{_PAGES[thing]}"}
    return checks


def shop_on(
    fleet: Fleet,
    thing: str,
    workflow_type: str = "BASIC",
    *,
    timeout: float = 20,
    phases: Sequence[Mapping[str, Any]] | None = None,
    connector: Mapping[str, Any] | None = None,
    **definition: Any,
) -> Shop:
    """A workflow of that type with its default phases, unless others are given."""
    furnish(fleet, thing)
    credential = fleet.directory / "credential"
    credential.write_text(PASSWORD)
    made = scene(
        workflow_type=workflow_type,
        deployment_type="WINRM",
        credential=f"file:{credential}",
        connector={**fleet.connector, **(connector or {})},
        settings=fleet.infrastructure(**settings_of(thing, workflow_type)),
        definition={
            "settings": checks_of(thing, workflow_type),
            "phases": timed(phases or Winrm().default_phases(workflow_type), timeout),
            **definition,
        },
    )
    return Shop(fleet, made, fleet.directory)


def timed(phases: Sequence[Mapping[str, Any]], seconds: float) -> list[Json]:
    return [
        {**phase, "steps": [{"timeout": seconds, **step} for step in phase["steps"]]}
        for phase in phases
    ]
