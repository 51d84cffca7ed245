"""The engine on hosts that are a dictionary."""

from collections.abc import Iterator

import pytest

from rollbacks import execution, platforms, pulse
from tests import lab
from tests.engine import faults
from tests.scene import Scene, scene


@pytest.fixture
def fleet(monkeypatch: pytest.MonkeyPatch) -> lab.Fleet:
    """Three hosts on which nothing runs; faults are set on it."""
    hosts = lab.Fleet({"web-1": "", "web-2": "", "web-3": ""})
    monkeypatch.setitem(platforms.PLATFORMS, "SSH", lab.Lab(hosts))
    monkeypatch.setattr(execution, "RETRY_SECONDS", 0.05)
    return hosts


@pytest.fixture
def still_pulse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Inside a test's own transaction no second connection sees anything: no pulse beats."""
    monkeypatch.setattr(pulse, "BEAT_SECONDS", 3600)


@pytest.fixture
def shop(db: None, fleet: lab.Fleet, still_pulse: None) -> Iterator[Scene]:
    """A Basic workflow onto the three hosts, inside the test's own transaction."""
    yield scene()
    faults.require_nobody_is_stuck()


@pytest.fixture
def canary(db: None, fleet: lab.Fleet, still_pulse: None) -> Iterator[Scene]:
    """A Canary workflow of three phases, a host each, inside the test's own transaction."""
    yield scene(workflow_type="CANARY", definition={"phases": three_phases()})
    faults.require_nobody_is_stuck()


@pytest.fixture
def live_shop(transactional_db: None, fleet: lab.Fleet) -> Iterator[Scene]:
    """The Basic workflow with everything committed, for tests with several workers."""
    yield scene()
    faults.require_nobody_is_stuck()


@pytest.fixture
def points(monkeypatch: pytest.MonkeyPatch, fleet: lab.Fleet) -> faults.Points:
    """Every labelled point of an execution; ask for it after the scene."""
    return faults.install(monkeypatch, fleet)


def three_phases() -> list[dict[str, object]]:
    """Canary 1, 2 and 3 on web-1, web-2 and web-3."""
    return [
        {
            "name": f"Canary {number}",
            "select": {"hosts": [f"web-{number}"]},
            "steps": [{"name": "Install", "kind": "lab.install"}],
        }
        for number in (1, 2, 3)
    ]
