"""A service on Windows hosts, deployed and rolled back through the platform alone."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from rollbacks.platforms import everywhere
from rollbacks.platforms.base import ArtifactRef, Progress, StepSpec, TargetRef
from rollbacks.platforms.winrm import Winrm, health
from tests.artifacts import checksum
from tests.platforms.ssh.control import RecordingControl
from tests.winrm.host import Fleet, Host
from tests.winrm.shop import artifact_of, described, furnish, settings_of


@dataclass
class Shop:
    """One service on a fleet; `kind`: of the step that is called."""

    fleet: Fleet
    infrastructure: dict[str, Any]
    kind: str = "winrm.install"
    settings: dict[str, Any] = field(default_factory=lambda: {"health_timeout": 0.1})
    connector: dict[str, Any] = field(default_factory=dict)
    secret: dict[str, str | None] = field(default_factory=dict)
    captured: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    control: RecordingControl = field(default_factory=RecordingControl)
    earlier: dict[str, ArtifactRef] = field(default_factory=dict)

    @property
    def target(self) -> TargetRef:
        return self.fleet.target(self.infrastructure, **self.secret, **self.connector)

    def artifact(self, version: str) -> ArtifactRef:
        content = artifact_of(version)
        path = self.fleet.directory / f"{version}.zip"
        path.write_bytes(content)
        return ArtifactRef(version, str(path), checksum(content), "ZIP")

    def spec(self, release: str) -> StepSpec:
        step = Winrm.steps[self.kind]
        return StepSpec(
            name="Install",
            kind=self.kind,
            settings=step.settings_model.model_validate(self.settings).model_dump(),
            variables={},
            artifact=self.artifact(release.partition("-")[2]),
            instances=tuple(self.fleet.hosts),
            release=release,
            earlier=self.earlier,
        )

    def capture(self, release: str) -> None:
        step, spec = Winrm.steps[self.kind], self.spec(release)
        self.captured[release] = step.capture(self.target, spec, self.control)

    def deploy(self, release: str, control: RecordingControl | None = None) -> Progress:
        """Capture, unless that was done, and one call of apply."""
        self.control = control or RecordingControl()
        if release not in self.captured:
            self.capture(release)
        step, spec = Winrm.steps[self.kind], self.spec(release)
        return step.apply(self.target, spec, self.captured[release], self.control)

    def roll_back(self, release: str, control: RecordingControl | None = None) -> Progress:
        """One call of undo."""
        self.control = control or RecordingControl()
        step, spec = Winrm.steps[self.kind], self.spec(release)
        return step.undo(self.target, spec, self.captured[release], self.control)

    def everything(self) -> dict[str, Any]:
        return {name: described(host) for name, host in self.fleet.hosts.items()}

    @property
    def host(self) -> Host:
        return self.fleet.hosts["web-1"]


def shop_for(fleet: Fleet, thing: str = "site", workflow_type: str = "BASIC") -> Shop:
    furnish(fleet, thing)
    return Shop(fleet, settings_of(thing, workflow_type))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "EVERY_SECONDS", 0.05)


@pytest.fixture
def fleet(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Fleet]:
    """One host, or as many as the test is parametrized with."""
    with Fleet(getattr(request, "param", 1), tmp_path / "fleet") as running:
        yield running


@pytest.fixture
def shop(fleet: Fleet) -> Shop:
    return shop_for(fleet)


@pytest.fixture
def quiet_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the checkpoints right before something is sent are counted."""

    async def watch(control: object) -> None:
        await asyncio.sleep(3600)

    monkeypatch.setattr(everywhere, "_watch", watch)
