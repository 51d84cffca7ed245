"""Lastgood as real processes that may be killed, stopped and started again, and what they say.

Every start of a process is an incarnation with a name of its own (`one.3`), under which its log is
kept, and under which the hosts write down what it did there.
"""

import json
import os
import shlex
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from socket import gethostname
from typing import Any

import httpx
import psycopg

from tests.operating.stack import _MANAGE, ROOT, eventually
from tests.ports import LOOPBACK, NO_AUTHORITIES, free_port
from tests.servers import PostgreSQL, RabbitMQ, Redis
from tests.surviving.witness import WitnessedFleet

KEY = "HOSTS_KEY"
WORKER = ("--quiet", "worker", "--without-gossip", "--without-mingle", "--without-heartbeat")
AWAY = (psycopg.OperationalError, sqlite3.OperationalError, httpx.TransportError)


class Unanswered(Exception):
    """The site could not take it; whether it did is not known."""


@dataclass
class Incarnation:
    """One process from its start to its end."""

    name: str
    pid: int
    log: Path

    def __post_init__(self) -> None:
        # Its number may be another process's once it has ended.
        self._handle = os.pidfd_open(self.pid)

    @property
    def owner(self) -> str:
        """As leases name it."""
        return f"{gethostname()}:{self.pid}"

    def signal(self, number: signal.Signals) -> None:
        signal.pidfd_send_signal(self._handle, number)

    def has_ended(self) -> bool:
        try:
            signal.pidfd_send_signal(self._handle, 0)
        except ProcessLookupError:
            return True
        return False

    def forget(self) -> None:
        os.close(self._handle)

    def lines(self) -> Iterator[dict[str, Any]]:
        """What it has logged; what others printed into it is left out."""
        for line in self.log.read_text(errors="replace").splitlines():
            if line.startswith("{") and line.endswith("}"):
                yield json.loads(line)


@dataclass(frozen=True)
class Claim:
    """A worker has taken an execution; `at` in seconds of the epoch."""

    deployment: int
    epoch: int
    worker: str
    at: float


@dataclass
class Site:
    """One installation. Without a database and a broker it is the embedded default."""

    directory: Path
    fleet: WitnessedFleet
    database: PostgreSQL | None = None
    broker: Redis | RabbitMQ | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    key: str = ""
    now: dict[str, Incarnation] = field(default_factory=dict)
    past: list[Incarnation] = field(default_factory=list)
    _web: subprocess.Popen[bytes] | None = None
    _nursery: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    # Its processes

    def start(self, name: str) -> Incarnation:
        """Start `web` (which is all of it where it is embedded), or a worker of any other name."""
        again = 1 + sum(each.name.partition(".")[0] == name for each in self.past)
        incarnation = f"{name}.{again}"
        log = self.directory / f"{incarnation}.log"
        key = {KEY: self.fleet.admit(incarnation)}
        pid = self._serve(log, key) if name == "web" else self._work(name, log, key)
        self.now[name] = Incarnation(incarnation, pid, log)
        self.past.append(self.now[name])
        return self.now[name]

    def end_one(self, name: str, number: signal.Signals = signal.SIGKILL) -> float:
        """Send the signal; the moment of it. A killed one is gone then, others end by and by."""
        ending = self.now.pop(name)
        ending.signal(number)
        at = time.time()
        if name == "web":
            assert self._web
            self._web.communicate()
        elif number == signal.SIGKILL:
            eventually(ending.has_ended, 30, f"the end of {ending.name}")
        return at

    def end(self) -> None:
        """Leave no process behind, in whatever state it is."""
        if self._nursery:
            self._nursery.communicate()
        if self._web:
            self._web.kill()
            self._web.communicate()
        for each in self.past:
            each.forget()

    def _serve(self, log: Path, key: Mapping[str, str]) -> int:
        with log.open("wb") as output:
            self._web = subprocess.Popen(
                [
                    sys.executable,
                    "manage.py",
                    "serve",
                    "--port",
                    str(self.port),
                    "--end-with-stdin",
                ],
                cwd=ROOT,
                env=self._environment() | dict(key),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
            )
        return self._web.pid

    def _work(self, name: str, log: Path, key: Mapping[str, str]) -> int:
        if self._nursery is None:
            self._nursery = subprocess.Popen(
                [sys.executable, "-m", "tests.surviving.nursery"],
                cwd=ROOT,
                env=self._environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        assert self._nursery.stdin
        assert self._nursery.stdout
        asked = {
            "log": str(log),
            "environment": dict(key),
            "arguments": [*WORKER, "--hostname", f"{name}@%h"],
        }
        self._nursery.stdin.write(json.dumps(asked) + "\n")
        self._nursery.stdin.flush()
        return int(self._nursery.stdout.readline())

    def manage(self, *commands: str) -> str:
        """What these `manage.py` commands print; one process for all of them, to save time."""
        done = subprocess.run(
            [sys.executable, "-c", _MANAGE, json.dumps([shlex.split(each) for each in commands])],
            cwd=ROOT,
            env=self._environment() | {"DJANGO_SETTINGS_MODULE": "dashboard.settings"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def is_up(self) -> bool:
        try:
            return self._get("/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def is_alive(self) -> bool:
        return self._get("/healthz").status_code == 200

    def _get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", timeout=20, verify=NO_AUTHORITIES)

    # What it knows

    def rows(self, query: str) -> Sequence[tuple[Any, ...]]:
        """The answer of the database itself; it may be away for a while."""
        found: Sequence[tuple[Any, ...]] = patiently(lambda: self._rows(query))
        return found

    def ask(self, query: str, **variables: Any) -> Any:
        """The answer of its API; raises Unanswered where something is down."""
        try:
            answer = httpx.post(
                f"{self.url}/graphql",
                json={"query": query, "variables": variables},
                headers={"x-api-key": self.key},
                timeout=30,
                verify=NO_AUTHORITIES,
            )
        except httpx.TransportError as error:
            raise Unanswered(repr(error)) from None
        said = answer.json() if "json" in answer.headers.get("content-type", "") else {}
        if answer.status_code >= 500 or "data" not in said or "errors" in said:
            raise Unanswered(answer.text[:2000])
        return said["data"]

    def claims(self) -> list[Claim]:
        """Every claim that was logged, in the order of time."""
        found = []
        for each in self.past:
            for line in each.lines():
                _, is_claim, epoch = line["message"].partition(": claimed with epoch ")
                if is_claim:
                    at = datetime.fromisoformat(line["time"]).timestamp()
                    number = int(epoch.rstrip("."))
                    found.append(Claim(int(line["execution"]), number, each.name, at))
        return sorted(found, key=lambda claim: claim.at)

    def logged(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every line of every process there was, with its name."""
        for each in self.past:
            for line in each.lines():
                yield each.name, line

    def _rows(self, query: str) -> Sequence[tuple[Any, ...]]:
        if self.database:
            with psycopg.connect(self.database.url, connect_timeout=5) as connection:
                return connection.execute(query).fetchall()
        path = f"file:{self.directory}/lastgood.sqlite3?mode=ro"
        with closing(sqlite3.connect(path, uri=True, timeout=30)) as connection:
            return connection.execute(query).fetchall()

    def _environment(self) -> dict[str, str]:
        kept = {name: text for name, text in os.environ.items() if not name.startswith("LASTGOOD_")}
        given = {
            "LASTGOOD_STATE_DIR": str(self.directory),
            "LASTGOOD_LOG_FORMAT": "json",
            "LASTGOOD_API_CALLS_PER_MINUTE": "1000000",
            **({"LASTGOOD_DATABASE_URL": self.database.url} if self.database else {}),
            **({"LASTGOOD_BROKER_URL": self.broker.url} if self.broker else {}),
        }
        return kept | given | dict(self.settings)


def patiently(ask: Callable[[], Any], within: float = 60) -> Any:
    """What it answers, once what it asks is there to answer."""
    deadline = time.monotonic() + within
    while True:
        try:
            return ask()
        except AWAY:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.1)
