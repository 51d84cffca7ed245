"""Lastgood in one process: the web server in the main thread, a Celery worker in another.

Nothing here survives the process, and nothing has to: the database is the queue, and the next
start takes up whatever this one leaves.
"""

import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from typing import NoReturn

import uvicorn
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from dashboard.celery import app

WORKER_STOPS_WITHIN = 3.0
REQUESTS_END_WITHIN = 1


class CannotServe(Exception):
    """The site cannot start; the message says why and what to do."""


class Worker:
    """A Celery worker with its sweep, in threads of this process."""

    def __init__(self, on_end: Callable[[], None]) -> None:
        self._on_end = on_end
        # Its own messages are about messages; what executions do is logged by rollbacks.
        logging.getLogger("celery").setLevel(logging.WARNING)
        logging.getLogger("kombu").setLevel(logging.ERROR)
        # The plain controller: unlike `celery worker` it takes no signals and prints no banner.
        self._controller = app.WorkController(
            pool=settings.CELERY_WORKER_POOL,
            concurrency=settings.CELERY_WORKER_CONCURRENCY,
            without_gossip=True,
            without_heartbeat=True,
            without_mingle=True,
        )
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)

    def start(self) -> None:
        """Begin to work; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Take nothing new, and wait a moment for what is under way."""
        # Celery waits for its pool without a limit; whoever is cut off loses the lease, no more.
        ending = threading.Thread(target=self._controller.stop, daemon=True)
        ending.start()
        ending.join(WORKER_STOPS_WITHIN)

    def _run(self) -> None:
        try:
            self._controller.start()
        finally:
            connection.close()
            self._on_end()


class Server(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config, on_start: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_start = on_start

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_start()


def require_migrated() -> None:
    """Raise CannotServe where the database is not what the code expects."""
    executor = MigrationExecutor(connection)
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    connection.close()
    if pending:
        raise CannotServe(
            f"{len(pending)} migrations were not applied to the database. "
            "Run `manage.py migrate` first."
        )


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; raises CannotServe where the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).partition(" (")[0]
        raise CannotServe(
            f"Cannot listen on {host} port {port}: {reason}. "
            "Stop what uses it, or choose another with --port."
        ) from None


def end_with_stdin() -> None:
    """End, as on SIGTERM, when standard input is closed: whoever started us may be killed."""

    def wait() -> None:
        sys.stdin.read()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="stdin", daemon=True).start()


def serve(listening: socket.socket, on_start: Callable[[], None]) -> NoReturn:
    """Serve until SIGTERM, Ctrl-C or the worker's end; ends the process."""
    # Before uvicorn takes the signals, and after it has given them back, both end us alike.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    server = Server(_config(), on_start)
    worker = Worker(on_end=lambda: setattr(server, "should_exit", True))
    try:
        if settings.EMBEDDED_WORKER:
            worker.start()
        server.run(sockets=[listening])
        worker.stop()
    except KeyboardInterrupt:
        worker.stop()
    finally:
        _leave()


def _config() -> uvicorn.Config:
    return uvicorn.Config(
        "dashboard.asgi:application",
        access_log=False,
        lifespan="off",
        log_config=None,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=REQUESTS_END_WITHIN,
        ws="none",
    )


def _leave() -> NoReturn:
    """End now: a thread that waits for a host would keep a normal exit waiting for minutes."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
