"""The whole engine on Windows hosts of the suite's own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from rollbacks import execution
from rollbacks.platforms import everywhere
from rollbacks.platforms.winrm import health
from tests.winrm.host import Fleet
from tests.winrm.shop import Shop, shop_on

Open = Callable[..., Shop]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits that take seconds on hosts take hundredths here."""
    monkeypatch.setattr(everywhere, "AGAIN_SECONDS", 0.03)
    monkeypatch.setattr(everywhere, "WATCH_SECONDS", 0.05)
    monkeypatch.setattr(health, "EVERY_SECONDS", 0.05)
    monkeypatch.setattr(execution, "RETRY_SECONDS", 0.03)


@pytest.fixture
def open_shop(transactional_db: None, tmp_path: Path) -> Iterator[Open]:
    """Opens a shop on so many hosts."""
    with ExitStack() as running:

        def start(thing: str, workflow_type: str = "BASIC", hosts: int = 2, **choices: Any) -> Shop:
            fleet = running.enter_context(Fleet(hosts, tmp_path / "fleet"))
            return shop_on(fleet, thing, workflow_type, **choices)

        yield start
