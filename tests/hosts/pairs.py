"""A service on two groups of real hosts, behind a real nginx."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dashboard.models import Deployment
from tests.artifacts import checksum, zip_artifact
from tests.hosts.nginx import Nginx, nginx_before
from tests.scene import Scene, scene
from tests.sshd import Fleet

Json = dict[str, Any]


@dataclass
class Pair:
    """Hosts web-1, … in two halves, blue and green; the last host of the fleet is the proxy."""

    fleet: Fleet
    nginx: Nginx
    scene: Scene
    groups: dict[str, list[str]]

    def publish(self, version: str, page: str = "") -> None:
        content = zip_artifact({"index.html": page or version, f"{version}.txt": version * 50})
        path = self.fleet.directory / f"{version}.zip"
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
        """Every host, byte for byte, and what the proxy does."""
        return {
            "hosts": {host: self.fleet.tree(host) for host in self.fleet.hosts},
            "serving": self.nginx.serving.read_text(),
        }

    def has(self, color: str) -> set[str | None]:
        """What the hosts of a color run."""
        return {self.fleet.link(host) for host in self.groups[color]}

    def revise(self, **settings: Any) -> None:
        """Another infrastructure definition from now on."""
        infrastructure = self.scene.infrastructure
        infrastructure.settings = {**infrastructure.settings, **settings}
        infrastructure.save()


def checks(nginx: Nginx) -> Json:
    """Of the definition: each host is asked by itself, and then all through the front."""
    return {
        "stage_health_check": {"url": "http://{address}:{http}/index.html"},
        "health_check": {"url": nginx.url},
        "health_timeout": 5,
    }


def settings_of(fleet: Fleet, nginx: Nginx, groups: Mapping[str, list[str]]) -> Json:
    """The infrastructure definition."""
    *hosts, proxy = fleet.infrastructure["hosts"]
    return {
        "directory": fleet.infrastructure["directory"],
        "hosts": [
            {**each, "variables": {"http": str(nginx.ports[each["name"]])}} for each in hosts
        ],
        "groups": dict(groups),
        "proxies": {
            "hosts": [{**proxy, "name": "proxy-1"}],
            "show_command": nginx.show,
            "switch_command": nginx.switch,
        },
    }


@contextmanager
def pair_of(
    count: int,
    directory: Path,
    connector: Mapping[str, Any] | None = None,
    **definition: Any,
) -> Iterator[Pair]:
    """So many hosts, half of them blue; `definition` goes before what is usual."""
    with Fleet(count + 1, directory / "fleet") as fleet:
        names = fleet.hosts[:-1]
        groups = {"blue": names[: count // 2], "green": names[count // 2 :]}
        roots = {name: fleet.path(name) for name in names}
        with nginx_before(groups, roots, directory / "nginx") as nginx:
            key = directory / "key"
            key.write_text(fleet.private_key)
            made = scene(
                connector={**fleet.connector, **(connector or {})},
                settings=settings_of(fleet, nginx, groups),
                credential=f"file:{key}",
                workflow_type="BLUE_GREEN",
                definition={"settings": checks(nginx), **definition},
            )
            yield Pair(fleet, nginx, made, groups)
