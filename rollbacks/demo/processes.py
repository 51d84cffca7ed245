"""The processes the demo starts and watches; each ends when the one that started it is gone."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from rollbacks.demo.fleet import LOOPBACK, Host

ENDS_WITHIN = 7.0


class DidNotStart(Exception):
    """The process ended before it was ready; the message says where to read why."""


class Child:
    """A process that holds on to our pipe, in a session of its own: Ctrl-C is for us alone."""

    def __init__(self, name: str, command: Sequence[str], log: Path) -> None:
        self.name = name
        self._log = log
        with log.open("ab") as errors:
            self._process = subprocess.Popen(  # noqa: S603 (our own modules)
                [sys.executable, *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
                text=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_until_ready(self) -> str:
        """The line it writes once it is; raises DidNotStart."""
        assert self._process.stdout
        if line := self._process.stdout.readline():
            return line
        raise DidNotStart(f"{self.name} did not start; {self._log} says why.")

    def is_running(self) -> bool:
        return self._process.poll() is None

    def end(self) -> None:
        """Ask it to end, and see to it that it does."""
        with suppress(OSError):
            # The pipe's end is the request: it also reaches a process that is just starting.
            assert self._process.stdin
            self._process.stdin.close()
        try:
            self._process.wait(ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self._process.wait()


class Site(Child):
    """Web server, worker and sweep."""

    def __init__(self, port: int, log: Path) -> None:
        command = ["manage.py", "serve", "--port", str(port), "--end-with-stdin"]
        super().__init__("The site", command, log)


class Fleet(Child):
    """The hosts."""

    def __init__(self, directory: Path, names: Sequence[str], log: Path) -> None:
        command = ["-m", "rollbacks.demo.fleet", str(directory), *names]
        super().__init__("The fleet", command, log)

    def wait_for_hosts(self) -> list[Host]:
        """The hosts once all of them listen; raises DidNotStart."""
        return [Host(**each) for each in json.loads(self.wait_until_ready())]


def is_free(port: int) -> bool:
    """Whether something may listen on the loopback port."""
    try:
        socket.create_server((LOOPBACK, port)).close()
    except (OSError, OverflowError):
        return False
    return True
