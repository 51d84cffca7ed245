"""The engine on hosts that are a dictionary."""

import pytest

from rollbacks import execution, platforms
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
def shop(transactional_db: None, fleet: lab.Fleet) -> Scene:
    """A Basic workflow onto the three hosts."""
    return scene()
