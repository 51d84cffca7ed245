"""The whole engine on hosts behind real sshd."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dashboard.models import Deployment
from tests.artifacts import checksum, zip_artifact
from tests.scene import Scene, scene
from tests.sshd import Fleet


@dataclass
class Shop:
    """A service on a fleet of real hosts."""

    fleet: Fleet
    scene: Scene
    artifacts: Path

    def publish(self, version: str) -> None:
        """A real ZIP with its checksum."""
        content = zip_artifact(
            {"index.html": f"<p>{version}</p>", f"only-in-{version}.txt": version * 100}
        )
        path = self.artifacts / f"{version}.zip"
        path.write_bytes(content)
        artifact = self.scene.artifact(version)
        artifact.location, artifact.checksum = str(path), checksum(content)
        artifact.save()

    def deploy(self, version: str) -> Deployment:
        """Publish and deploy it."""
        self.publish(version)
        return self.scene.deploy(version)

    def trees(self) -> dict[str, Any]:
        """Every host, byte for byte."""
        return {host: self.fleet.tree(host) for host in self.fleet.hosts}


Start = Callable[..., Shop]


def definition(**install: Any) -> dict[str, Any]:
    """One phase with one Install step; `timeout` is the step's."""
    timeout = install.pop("timeout", 60)
    step = {"name": "Install", "kind": "ssh.install", "timeout": timeout, "settings": install}
    return {"phases": [{"name": "Hosts", "steps": [step]}]}


@pytest.fixture
def shop_of(transactional_db: None, tmp_path: Path) -> Iterator[Start]:
    """Starts a shop on so many hosts; `document` is the whole definition of its workflow."""
    with ExitStack() as running:

        def start(
            count: int,
            connector: dict[str, Any] | None = None,
            workflow_type: str = "BASIC",
            document: dict[str, Any] | None = None,
            **install: Any,
        ) -> Shop:
            fleet = running.enter_context(Fleet(count, tmp_path / "fleet"))
            key = tmp_path / "client_key"
            key.write_text(fleet.private_key)
            made = scene(
                connector={**fleet.connector, **(connector or {})},
                settings=fleet.infrastructure,
                credential=f"file:{key}",
                workflow_type=workflow_type,
                definition=definition(**install) if document is None else document,
            )
            return Shop(fleet, made, tmp_path)

        yield start
