"""The simulation's own database in memory: real SQL, real transactions, nobody's data.

For as long as a simulation runs in this thread, Django's default connection is this one.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC
from typing import Any

from django.core.management import call_command
from django.db import connections
from django.db.backends.sqlite3.base import DatabaseWrapper

from rollbacks.simulation.scheduler import since_beginning

_SETTINGS: dict[str, Any] = {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": ":memory:",
    "OPTIONS": {"transaction_mode": "IMMEDIATE"},
}


class Laboratory(DatabaseWrapper):
    """A connection that tells when it has committed."""

    after_commit: Callable[[], None] | None = None

    def _commit(self) -> None:
        super()._commit()  # type: ignore[misc]
        if self.after_commit is not None:
            try:
                self.after_commit()
            except BaseException:
                self.run_on_commit = []
                raise


class Rows:
    """What the database holds, read past Django: the auditor's eyes must not be the engine's."""

    def __init__(self, connection: Laboratory) -> None:
        self._connection = connection

    def _one(self, sql: str, *arguments: Any) -> Any:
        return self._connection.connection.execute(sql, arguments).fetchone()

    def lease(self, deployment: int) -> tuple[int, int]:
        """The epoch and the end of the lease; 0 where there is none."""
        epoch, until = self._one(
            "SELECT lease_epoch, lease_until FROM dashboard_deployment WHERE id = ?", deployment
        )
        # The connection makes it a datetime, of which it knows no zone.
        return epoch, since_beginning(until.replace(tzinfo=UTC)) if until else 0

    def step_status(self, step: int) -> str:
        status: str = self._one("SELECT status FROM dashboard_step WHERE id = ?", step)[0]
        return status

    def last_event(self) -> int:
        return self._one("SELECT max(id) FROM dashboard_event")[0] or 0

    def deployments(self) -> list[tuple[int, str, str, int | None]]:
        """Of each: its key, status, code, and what it rolls back."""
        sql = "SELECT id, status, code, rolls_back_id FROM dashboard_deployment ORDER BY id"
        return list(self._connection.connection.execute(sql))


class Shelf:
    """Databases as they were at some moment, by name, to begin again from."""

    def __init__(self, connection: Laboratory) -> None:
        self.connection = connection
        self.rows = Rows(connection)
        self._kept: dict[object, bytes] = {}

    def enter(self) -> None:
        """From here on the current thread uses this database too."""
        connections["default"] = self.connection

    def keep(self, name: object) -> None:
        self._kept[name] = self.connection.connection.serialize()

    def bring(self, name: object) -> bool:
        """Begin from there; whether there is one of this name."""
        if name not in self._kept:
            return False
        self.connection.connection.deserialize(self._kept[name])
        return True


@contextmanager
def laboratory() -> Iterator[Shelf]:
    """An empty, migrated database as Django's default one; the other one comes back at the end."""
    usual = connections["default"]
    wrapper = Laboratory({**connections.settings["default"], **_SETTINGS}, "default")
    wrapper.inc_thread_sharing()
    connections["default"] = wrapper
    try:
        call_command("migrate", verbosity=0)
        shelf = Shelf(wrapper)
        shelf.keep("empty")
        yield shelf
    finally:
        connections["default"] = usual
        if wrapper.connection is not None:
            wrapper.connection.close()
