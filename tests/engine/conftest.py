"""The engine on hosts that are a dictionary."""

import pytest

from rollbacks import execution, platforms, pulse
from tests import lab
from tests.scene import Scene, scene


@pytest.fixture
def fleet(monkeypatch: pytest.MonkeyPatch) -> lab.Fleet:
    """Three hosts on which nothing runs; faults are set on it."""
    hosts = lab.Fleet({"web-1": "", "web-2": "", "web-3": ""})
    monkeypatch.setitem(platforms.PLATFORMS, "SSH", lab.Lab(hosts))  # type: ignore[arg-type]
    monkeypatch.setattr(execution, "RETRY_SECONDS", 0.05)
    return hosts


@pytest.fixture
def shop(db: None, fleet: lab.Fleet, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """A Basic workflow onto the three hosts, inside the test's own transaction: no pulse beats."""
    monkeypatch.setattr(pulse, "BEAT_SECONDS", 3600)
    return scene()


@pytest.fixture
def live_shop(transactional_db: None, fleet: lab.Fleet) -> Scene:
    """The same with everything committed, for tests with several workers."""
    return scene()
