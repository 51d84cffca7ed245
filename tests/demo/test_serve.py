"""`manage.py serve`: one process, started and ended as people and supervisors do it."""

import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.demo.conftest import manage
from tests.ports import free_port


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory whose database is migrated."""
    directory = tmp_path_factory.mktemp("state")
    migrating = manage("migrate", "--verbosity", "0", state=directory)
    assert migrating.communicate(timeout=60) == ("", "")
    return directory


@contextmanager
def serving(state: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    with manage("serve", "--port", str(free_port()), *options, state=state) as process:
        assert process.stdout
        try:
            yield process, process.stdout.readline().strip().removeprefix("Lastgood is at ")
        finally:
            process.kill()


def test_it_says_where_it_is_and_serves_what_was_never_collected(state: Path) -> None:
    with serving(state) as (_, url):
        assert httpx.get(url, follow_redirects=False).status_code == 302
        assert httpx.get(url + "static/admin/css/base.css").status_code == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_asked_and_has_said_nothing_more(state: Path, number: signal.Signals) -> None:
    with serving(state) as (process, url):
        httpx.get(url)

        process.send_signal(number)

        assert process.communicate(timeout=6) == ("", "")
        assert process.returncode == 0


def test_it_refuses_a_database_that_is_not_migrated(tmp_path: Path) -> None:
    process = manage("serve", state=tmp_path)

    _, errors = process.communicate(timeout=30)

    assert process.returncode == 1
    assert "Run `manage.py migrate` first." in errors
    assert "Traceback" not in errors


def test_it_refuses_a_port_that_is_taken(state: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = manage("serve", "--port", str(port), state=state)
        _, errors = process.communicate(timeout=30)

    assert process.returncode == 1
    assert errors == (
        f"CommandError: Cannot listen on 127.0.0.1 port {port}: Address already in use. "
        "Stop what uses it, or choose another with --port.\n"
    )
