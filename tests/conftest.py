"""What every test shares: an engine that runs in the test's own thread, and hints that are kept."""

import pytest

from rollbacks import tasks


@pytest.fixture(autouse=True)
def hints(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The deployments for which a worker was woken; no broker is needed."""
    sent: list[int] = []
    monkeypatch.setattr(tasks, "hint", sent.append)
    return sent
