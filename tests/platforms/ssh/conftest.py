"""A service on real hosts, deployed and rolled back through the platform alone."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from rollbacks.platforms import everywhere
from rollbacks.platforms.base import ArtifactRef, Progress, StepSpec
from rollbacks.platforms.ssh import Ssh
from rollbacks.platforms.ssh.install import Install
from tests.artifacts import Content, Executable, Link, checksum, zip_artifact
from tests.platforms.ssh.control import RecordingControl
from tests.sshd import Fleet


@dataclass
class Shop:
    """One service on a fleet."""

    fleet: Fleet
    artifacts: Path
    settings: dict[str, Any] = field(default_factory=dict)
    connector: dict[str, Any] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    captured: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    control: RecordingControl = field(default_factory=RecordingControl)
    earlier: dict[str, ArtifactRef] = field(default_factory=dict)
    platform: Ssh = field(default_factory=Ssh)
    step: Install = field(default_factory=Install)

    def artifact(self, version: str, **files: Content) -> ArtifactRef:
        content = zip_artifact(
            {
                "index.html": f"<p>{version}</p>",
                "bin/start": Executable(f"#!/bin/sh\necho {version}\n".encode()),
                "latest.html": Link("index.html"),
                **files,
            }
        )
        path = self.artifacts / f"{version}.zip"
        path.write_bytes(content)
        return ArtifactRef(version, str(path), checksum(content), "ZIP")

    def spec(self, release: str, **settings: Any) -> StepSpec:
        model = Install.settings_model.model_validate({**self.settings, **settings})
        return StepSpec(
            name="Install",
            kind="ssh.install",
            settings=model.model_dump(),
            variables=self.variables,
            artifact=self.artifact(release.partition("-")[2]),
            instances=tuple(self.fleet.hosts),
            release=release,
            earlier=self.earlier,
        )

    def capture(self, release: str) -> None:
        target = self.fleet.target(**self.connector)
        self.captured[release] = self.step.capture(target, self.spec(release), self.control)

    def deploy(self, release: str, control: RecordingControl | None = None) -> Progress:
        """Capture, unless that was done, and one call of apply."""
        self.control = control or RecordingControl()
        if release not in self.captured:
            self.capture(release)
        target = self.fleet.target(**self.connector)
        return self.step.apply(target, self.spec(release), self.captured[release], self.control)

    def roll_back(self, release: str, control: RecordingControl | None = None) -> Progress:
        """One call of undo."""
        self.control = control or RecordingControl()
        target = self.fleet.target(**self.connector)
        return self.step.undo(target, self.spec(release), self.captured[release], self.control)

    def links(self) -> set[str | None]:
        return {self.fleet.link(host) for host in self.fleet.hosts}

    def trees(self) -> dict[str, Any]:
        return {host: self.fleet.tree(host) for host in self.fleet.hosts}


def shop_on(fleet: Fleet) -> Shop:
    artifacts = fleet.directory / "artifacts"
    artifacts.mkdir(exist_ok=True)
    return Shop(fleet, artifacts)


@pytest.fixture
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """Three hosts, or as many as the test is parametrized with."""
    with Fleet(getattr(request, "param", 3), tmp_path / "fleet") as fleet:
        yield shop_on(fleet)


@pytest.fixture
def quiet_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the checkpoints right before a change are counted, so that each can be the last."""

    async def watch(control: object) -> None:
        await asyncio.sleep(3600)

    monkeypatch.setattr(everywhere, "_watch", watch)
