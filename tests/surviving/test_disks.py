"""The disk under PostgreSQL's tables is full for a while: what runs waits for it, and ends."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.nightly import IS_NIGHTLY
from tests.servers import PostgreSQL, Redis
from tests.surviving.audit import audit
from tests.surviving.conftest import Open, say
from tests.surviving.traffic import Shop, Traffic

FULL_SECONDS = 20.0


class SmallDisk(PostgreSQL):
    """Keeps its tables, and nothing else, on a file system of a few megabytes."""

    @property
    def disk(self) -> Path:
        return self.directory / "disk"

    def prepare(self) -> None:
        super().prepare()
        self.disk.mkdir()
        options = "size=40m,mode=0777"
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.disk)])
        if done.returncode:
            pytest.skip("file systems cannot be mounted here")
        self.run("mkdir", self.disk / "tables")

    def create(self, database: str) -> str:
        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE TABLESPACE small LOCATION '{self.disk}/tables'")
            connection.execute(f'CREATE DATABASE "{database}" TABLESPACE small')
        return self.url_of(database)

    @contextmanager
    def full(self) -> Iterator[None]:
        """Not one block is left, until this is over."""
        filler = self.disk / "filler"
        with filler.open("wb", buffering=0) as file:
            try:
                while file.write(bytes(4096)):
                    pass
            except OSError:
                yield
            finally:
                filler.unlink()

    def _end(self) -> None:
        self.kill()
        subprocess.run(["umount", str(self.disk)], stderr=subprocess.DEVNULL)
        super()._end()


@pytest.mark.skipif(not IS_NIGHTLY, reason="at night; by day the database crashes altogether")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small file system")
def test_rollbacks_wait_for_a_disk_that_is_full_and_end_when_it_is_not(shop_on: Open) -> None:
    database = SmallDisk()
    shop = shop_on(database, Redis())
    traffic = Traffic(shop, goes_on=True)
    traffic.until(lambda: any(each.is_rollback for each in shop.latest().values()), 60)
    with database.full():
        until = time.monotonic() + FULL_SECONDS
        traffic.until(lambda: time.monotonic() > until and _has_failed_to_write(shop), 90)
        assert shop.site.is_alive()
    traffic.end(within=120)
    say(f"{traffic.refused} calls of the API to ask again; {audit(shop)}")


def _has_failed_to_write(shop: Shop) -> bool:
    """Somebody has been told that nothing can be written."""
    return any("No space left" in str(line) for _, line in shop.site.logged())
