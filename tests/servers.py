"""PostgreSQL, Redis and RabbitMQ for tests: Debian's own, private, on loopback, gone with the test.

    with PostgreSQL() as database, Redis() as broker:      # or RabbitMQ()
        database.url, broker.url
        broker.kill(); broker.start()     # on the same port, as after a crash

Nothing in them is worth a disk's time: nothing is synced, and Redis keeps nothing at all.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

import amqp
import psycopg
import redis

from tests.ports import LOOPBACK, free_port

START_SECONDS = 30.0
SCRIPT = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
INSTALLED = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


class Server:
    """A process with a directory of its own, as an unprivileged user where we are root."""

    ends_with: ClassVar[signal.Signals] = signal.SIGTERM
    crashes_with: ClassVar[signal.Signals] = signal.SIGKILL
    start_seconds: ClassVar[float] = START_SECONDS
    has_children: ClassVar[bool] = False  # that do not end by themselves with it

    def __init__(self) -> None:
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        # Not below pytest's own directories: other users may not enter those.
        self.directory = Path(tempfile.mkdtemp(prefix=f"lastgood-{type(self).__name__.lower()}-"))
        if os.geteuid() == 0:
            shutil.chown(self.directory, "nobody", "nogroup")
        try:
            self.prepare()
            self.start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def start(self) -> None:
        """Listen, on the same port as before."""
        self.port = self.port or free_port()
        with (self.directory / "output").open("ab") as output:
            self._process = subprocess.Popen(
                self.command(),
                env=os.environ | self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=self.has_children,
                **self._identity(),
            )
        deadline = time.monotonic() + self.start_seconds
        while not self.answers():
            said = (self.directory / "output").read_text(errors="replace")
            assert self._process.poll() is None, said
            assert time.monotonic() < deadline, said
            time.sleep(0.02)

    def stop(self) -> None:
        """End in order; clients are told."""
        self._signal(self.ends_with)

    def kill(self) -> None:
        """End as by a crash."""
        self._signal(self.crashes_with)

    def prepare(self) -> None:
        """What is done once, before the first start."""

    def command(self) -> Sequence[str]:
        raise NotImplementedError

    def environment(self) -> Mapping[str, str]:
        """What it gets beside the test's own environment."""
        return {}

    def answers(self) -> bool:
        raise NotImplementedError

    def run(self, *command: str | Path) -> None:
        """Run one of the server's own programs to its end, as its user."""
        done = subprocess.run(
            [str(each) for each in command],
            env=os.environ | self.environment(),
            capture_output=True,
            text=True,
            **self._identity(),
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def _identity(self) -> dict[str, Any]:
        if os.geteuid() != 0:
            return {"cwd": self.directory}
        return {"cwd": self.directory, "user": "nobody", "group": "nogroup", "extra_groups": []}

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(timeout=START_SECONDS)
            self._process = None

    def _end(self) -> None:
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)


class PostgreSQL(Server):
    """A cluster of its own with one superuser, `lastgood`, and no passwords."""

    ends_with = signal.SIGINT  # "fast": it does not wait for its clients
    crashes_with = signal.SIGQUIT  # "immediate": it has to recover, but leaves no children

    @property
    def url(self) -> str:
        return self.url_of("lastgood")

    def url_of(self, database: str) -> str:
        return f"postgresql://lastgood@{LOOPBACK}:{self.port}/{database}"

    def create(self, database: str) -> str:
        """An empty database; its URL."""
        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{database}"')  # type: ignore[arg-type]
        return self.url_of(database)

    def program(self, name: str) -> Path:
        """One of its programs, such as pg_dump, of the same version."""
        return INSTALLED[-1].with_name(name)

    def prepare(self) -> None:
        assert INSTALLED, "postgresql is not installed"
        options = ("--no-sync", "--username=lastgood", "--auth=trust", "--encoding=UTF8")
        self.run(self.program("initdb"), "-D", self._data, *options, "--locale=C.UTF-8")

    def start(self) -> None:
        is_first = not self.port
        super().start()
        if is_first:
            self.create("lastgood")

    def command(self) -> Sequence[str]:
        switches = (
            "-c",
            "fsync=off",
            "-c",
            "unix_socket_directories=",
            "-c",
            "max_connections=300",
        )
        where = ("-D", str(self._data), "-h", LOOPBACK, "-p", str(self.port))
        return [str(self.program("postgres")), *where, *switches]

    def answers(self) -> bool:
        try:
            psycopg.connect(self.url_of("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    @property
    def _data(self) -> Path:
        return self.directory / "data"


class Redis(Server):
    """Redis that keeps nothing."""

    @property
    def url(self) -> str:
        return f"redis://{LOOPBACK}:{self.port}/0"

    def flush(self) -> None:
        """Lose every message."""
        with redis.Redis(host=LOOPBACK, port=self.port) as client:
            client.flushall()

    def command(self) -> Sequence[str]:
        where = ("--bind", LOOPBACK, "--port", str(self.port), "--dir", str(self.directory))
        return ["redis-server", *where, "--save", "", "--appendonly", "no"]

    def answers(self) -> bool:
        try:
            with redis.Redis(host=LOOPBACK, port=self.port) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


class RabbitMQ(Server):
    """RabbitMQ with a node, a directory and a port mapper (epmd) of its own; all it has is lost."""

    # Erlang starts slowly, and a machine that runs tests is busy.
    start_seconds = 120.0
    has_children = True

    def __init__(self) -> None:
        super().__init__()
        self._mapper_port = free_port()
        self._distribution_port = free_port()
        self._mapper: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@{LOOPBACK}:{self.port}//"

    def flush(self) -> None:
        """Lose every message that nobody has taken yet."""
        with self._connected() as connection, connection.channel() as channel:
            channel.queue_purge("celery")

    def prepare(self) -> None:
        assert SCRIPT.exists(), "rabbitmq-server is not installed"
        # Otherwise the node would start one that outlives it, on the port that all nodes share.
        self._mapper = subprocess.Popen(
            ["epmd", "-address", LOOPBACK, "-port", str(self._mapper_port)], **self._identity()
        )

    def start(self) -> None:
        shutil.rmtree(self.directory / "data", ignore_errors=True)
        super().start()

    def command(self) -> Sequence[str]:
        return [str(SCRIPT)]

    def environment(self) -> Mapping[str, str]:
        nothing = str(self.directory / "nothing")
        return {
            "HOME": str(self.directory),
            "ERL_EPMD_ADDRESS": LOOPBACK,
            "ERL_EPMD_PORT": str(self._mapper_port),
            "RABBITMQ_NODENAME": f"lastgood-{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": LOOPBACK,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "RABBITMQ_MNESIA_BASE": str(self.directory / "data"),
            "RABBITMQ_LOG_BASE": str(self.directory / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_PID_FILE": str(self.directory / "pid"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(self.directory / "config"),
            "RABBITMQ_SCHEMA_DIR": str(self.directory / "schema"),
            # What the machine's own RabbitMQ is told is not for this one.
            "RABBITMQ_CONF_ENV_FILE": nothing,
            "RABBITMQ_CONFIG_FILE": nothing,
            "RABBITMQ_ADVANCED_CONFIG_FILE": nothing,
            "RABBITMQ_ENABLED_PLUGINS_FILE": nothing,
        }

    def answers(self) -> bool:
        try:
            self._connected().close()
        except (OSError, amqp.AMQPError):
            return False
        return True

    def _connected(self) -> Any:
        connection = amqp.Connection(f"{LOOPBACK}:{self.port}", connect_timeout=2, read_timeout=10)
        connection.connect()
        return connection

    def _signal(self, number: signal.Signals) -> None:
        """Its script and the node below it alike: the script alone would leave the node."""
        if self._process is not None:
            os.killpg(self._process.pid, number)
            self._process.wait(timeout=START_SECONDS)
            self._process = None

    def _end(self) -> None:
        if self._mapper is not None:
            self._mapper.kill()
            self._mapper.wait()
        super()._end()
