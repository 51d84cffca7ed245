"""`manage.py serve` as a process of its own, to be denied its disk."""

import os
import resource
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import httpx

from tests.operating.stack import ROOT
from tests.servers import free_port

PASSWORD = "correct horse battery"


class Embedded:
    """`manage.py serve` in a state directory of its own."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._port = free_port()
        self.log = state / "log"
        # Its log goes through a pipe, so that it can be written whatever becomes of its disk.
        with self.log.open("wb") as log:
            self._writer = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=log)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def manage(self, *arguments: str) -> str:
        done: subprocess.CompletedProcess[str] = subprocess.run(
            self._command(*arguments), capture_output=True, text=True, **self._at
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self) -> None:
        """Returns at once."""
        command = self._command("serve", "--port", str(self._port))
        out = self._writer.stdin
        self.process = subprocess.Popen(command, stdout=out, stderr=out, **self._at)

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()

    def end(self) -> None:
        self.kill()
        assert self._writer.stdin
        self._writer.stdin.close()
        self._writer.wait(10)

    def readiness(self) -> httpx.Response | None:
        with suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/readyz", timeout=10)
        return None

    def is_ready(self) -> bool:
        found = self.readiness()
        return found is not None and found.status_code == 200

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        database = f"file:{self._state}/lastgood.sqlite3?mode=ro"
        with closing(sqlite3.connect(database, uri=True, timeout=10)) as connection:
            return connection.execute(query).fetchall()

    def status(self, execution: str) -> str:
        return str(
            self.ask(f"SELECT status FROM dashboard_deployment WHERE id = {execution}")[0][0]
        )

    def let_write(self, is_allowed: bool) -> None:
        """A file system that takes nothing, as a full disk; not even what is overwritten."""
        assert self.process
        _, hard = resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (hard if is_allowed else 0, hard))

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "manage.py", *arguments]

    @property
    def _at(self) -> dict[str, Any]:
        kept = {name: text for name, text in os.environ.items() if not name.startswith("LASTGOOD_")}
        ours = {
            "LASTGOOD_STATE_DIR": str(self._state),
            "LASTGOOD_API_CALLS_PER_MINUTE": "10000",
            "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
        }
        return {"cwd": ROOT, "env": kept | ours}
