"""Starts Celery workers quickly: a process that has imported everything forks each of them.

Run as a program. It reads one JSON object a line (`log`, `environment`, `arguments`), answers with
the new worker's process id, and ends with all its workers when its standard input does, or when it
is killed. Each worker is a process as any other: an id, sockets and connections of its own, and
nothing of it begun before.
"""

import ctypes
import json
import os
import random
import signal
import sys
from typing import Any, NoReturn

import django

PR_SET_PDEATHSIG = 1


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    django.setup()
    # What a worker would import as it starts.
    import celery.apps.worker
    import celery.bin.celery
    import celery.concurrency.thread  # noqa: F401
    import kombu.transport.pyamqp
    import kombu.transport.redis  # noqa: F401

    from dashboard.celery import app

    app.loader.import_default_modules()
    app.finalize()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead are gone at once
    for line in iter(sys.stdin.readline, ""):
        asked = json.loads(line)
        pid = os.fork()
        if not pid:
            _become_worker(app, asked)
        print(pid, flush=True)  # noqa: T201


def _become_worker(app: Any, asked: dict[str, Any]) -> NoReturn:
    from dashboard.operating import counts

    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDONLY)
    log = os.open(asked["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for number, handle in enumerate((nothing, log, log)):
        os.dup2(handle, number)
    os.environ.update(asked["environment"])
    # To PostgreSQL it says who it is as leases do.
    os.environ["PGAPPNAME"] = counts.process_name()
    random.seed()  # or all would sweep at the same moments
    try:
        app.worker_main(asked["arguments"])
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
