"""How long the runs are, and an installation to run them on.

LASTGOOD_TEST_NIGHTLY=1 (make test-nightly) makes them long; LASTGOOD_TEST_SEED repeats a choice of
moments, which every run prints.
"""

import os
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random

import pytest

from tests.nightly import IS_NIGHTLY
from tests.operating.stack import eventually
from tests.servers import PostgreSQL, RabbitMQ, Redis
from tests.surviving import writes
from tests.surviving.site import Site
from tests.surviving.traffic import Shop
from tests.surviving.witness import WitnessedFleet

# By day other tests take the machine's time.
GOES_ON_WITHIN = 15.0 if IS_NIGHTLY else 60.0
# A lease that has soon ended, where not its length but what follows is of interest.
QUICK = {
    "LASTGOOD_LEASE_SECONDS": "3",
    "LASTGOOD_HEARTBEAT_SECONDS": "1",
    "LASTGOOD_SWEEP_SECONDS": "0.5",
}
WORKERS = ("one", "two", "three")
Open = Callable[..., Shop]


def say(text: object) -> None:
    """Seen with `pytest -s`, and where a test fails."""
    sys.stdout.write(f"{text}\n")


@pytest.fixture
def chance() -> Random:
    """Chance that can be had again."""
    seed = int(os.environ.get("LASTGOOD_TEST_SEED") or random.randrange(10**6))
    say(f"LASTGOOD_TEST_SEED={seed}")
    return Random(seed)


@pytest.fixture
def shop_on(tmp_path: Path) -> Iterator[Open]:
    """Opens a shop on a database and a broker (none: the embedded default), all installed."""
    with ExitStack() as running:

        def start(
            database: PostgreSQL | None = None,
            broker: Redis | RabbitMQ | None = None,
            *,
            targets: int = 8,
            hosts: int = 2,
            workers: tuple[str, ...] = WORKERS,
            **settings: str,
        ) -> Shop:
            fleet = running.enter_context(WitnessedFleet(hosts, tmp_path / "fleet"))
            for server in (database, broker):
                if server is not None:
                    running.enter_context(server)
            directory = tmp_path / "site"
            directory.mkdir()
            site = Site(directory, fleet, database, broker, settings)
            running.callback(site.end)
            shop = Shop(site, targets)
            shop.open()
            if database:
                writes.watch(site)
            for name in ("web", *(workers if broker else ())):
                site.start(name)
            eventually(site.is_up, 120, "getting ready")
            shop.install()
            return shop

        yield start
