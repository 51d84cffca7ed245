"""`manage.py demo`: Lastgood with a small real fleet, from nothing, on loopback only."""

import fcntl
import logging
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NoReturn

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from rollbacks.demo import story
from rollbacks.demo.fleet import LOOPBACK, Host
from rollbacks.demo.processes import DidNotStart, Fleet, Site, is_free

READY = "LASTGOOD_DEMO"
MARK = "this-is-the-demo"
TOLD_WITHIN = 120.0
LOOK_SECONDS = 0.2
TOLD = """
Lastgood is at http://{address}:{port}/

Sign in by name and password (engineer may roll back, viewer may look, admin administers):
{people}

The hosts' own pages:
{pages}

The site is process {pid}. In the middle of a rollback, kill -9 {pid} and see what happens.
Press Ctrl-C to stop."""


class Command(BaseCommand):
    help = "Start Lastgood with a small real fleet on this machine; starts clean each time."

    def handle(self, *args: Any, **options: Any) -> None:
        self._port = _free_port()
        if READY not in os.environ:
            _start_again_in(settings.STATE_DIR / "demo")
        _heed_signals()
        with ExitStack() as running:
            try:
                self._run(settings.STATE_DIR, running)
            except KeyboardInterrupt:
                _ignore_signals()
                self._say("\nStopping…")
            except DidNotStart as error:
                raise CommandError(str(error)) from None

    def _run(self, state: Path, running: ExitStack) -> None:
        self._say("Starting hosts and the site, and deploying to the hosts; this takes a moment…")
        self._log = state / "lastgood.log"
        _log_to(self._log)
        names = [name for names in story.HOSTS.values() for name in names]
        self._fleet = Fleet(state, names, self._log)
        running.callback(self._fleet.end)
        call_command("migrate", verbosity=0)
        self._site = Site(self._port, self._log)
        running.callback(self._end_site)
        hosts = self._fleet.wait_for_hosts()
        story.declare(state, hosts)
        self._site.wait_until_ready()
        story.begin()
        self._keep(until=_told())
        self._tell(hosts)
        self._keep(until=lambda: False)

    def _keep(self, until: Callable[[], bool]) -> None:
        """Watch over the processes; a site that was killed is started again."""
        while not until():
            time.sleep(LOOK_SECONDS)
            if not self._fleet.is_running():
                raise CommandError(f"The hosts have ended; {self._log} may say why.")
            if not self._site.is_running():
                self._say(f"The site (process {self._site.pid}) has ended; starting it again…")
                self._site = Site(self._port, self._log)
                self._site.wait_until_ready()
                self._say(f"It is back as process {self._site.pid} and goes on where it was.")

    def _end_site(self) -> None:
        """The one that runs now, which need not be the first."""
        self._site.end()

    def _tell(self, hosts: list[Host]) -> None:
        people = "\n".join(f"{name} {password}" for name, password in story.PASSWORDS.items())
        pages = "\n".join(f"{host.name} {host.page}" for host in hosts)
        told = TOLD.format(
            address=LOOPBACK, port=self._port, people=people, pages=pages, pid=self._site.pid
        )
        self._say(told)

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _free_port() -> int:
    """The port from PORT; raises CommandError where it cannot be had."""
    value = os.environ.get("PORT", "") or "8000"
    if not value.isdecimal():
        raise CommandError(f"PORT must be a number, not {value!r}.")
    if not is_free(int(value)):
        raise CommandError(f"Port {value} is taken. Choose another: PORT=8001 make demo")
    return int(value)


def _start_again_in(state: Path) -> NoReturn:
    """Become a process whose settings know nothing but the demo's own, empty directory."""
    state.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(state.parent / "demo.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise CommandError(f"A demo is running in {state} already; stop it first.") from None
    # Never closed: the lock lasts as long as the process, and no child inherits it.
    os.set_inheritable(lock, True)
    if state.exists() and not (state / MARK).exists():
        raise CommandError(f"{state} was not made by the demo, which would wipe it: move it.")
    shutil.rmtree(state, ignore_errors=True)
    state.mkdir()
    (state / MARK).touch()
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("LASTGOOD_")
    }
    environment |= {READY: "1", "LASTGOOD_STATE_DIR": str(state)}
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)  # noqa: S606


def _told() -> Callable[[], bool]:
    """Whether the story is told; raises CommandError where it went wrong."""
    deadline = time.monotonic() + TOLD_WITHIN

    def is_told() -> bool:
        is_over = story.is_told()
        if is_over and (failures := story.failures()):
            raise CommandError("\n".join(failures))
        if time.monotonic() > deadline:
            raise CommandError(f"The deployments have not ended within {TOLD_WITHIN:g} s.")
        return is_over

    return is_told


def _log_to(path: Path) -> None:
    """The console is for people: what this process logs goes where the others' does."""
    root, handler = logging.getLogger(), logging.FileHandler(path)
    handler.setFormatter(root.handlers[0].formatter)
    root.handlers = [handler]


def _heed_signals() -> None:
    """Whatever asks us to end is a Ctrl-C, also where a shell's `&` made us ignore that."""
    asking = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as with nohup
        asking.append(signal.SIGHUP)
    for number in asking:
        signal.signal(number, signal.default_int_handler)


def _ignore_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
