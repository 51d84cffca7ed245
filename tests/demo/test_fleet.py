"""The demo's hosts are faithful enough that what works on them works on sshd."""

import asyncio
import os
import time
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import asyncssh
import httpx
import pytest

from rollbacks.demo.fleet import CURRENT, Host
from tests.demo.conftest import RunningFleet, running_fleet


@dataclass(frozen=True)
class Answer:
    stdout: bytes
    stderr: bytes
    exit_status: int | None
    exit_signal: str


def ssh(fleet: RunningFleet, host: Host, command: str, stdin: bytes = b"") -> Answer:
    async def run() -> Answer:
        async with await connected(fleet, host) as there:
            done = await there.run(command, input=stdin, encoding=None, timeout=20)
        assert isinstance(done.stdout, bytes)
        assert isinstance(done.stderr, bytes)
        signal = done.exit_signal[0] if done.exit_signal else ""
        return Answer(done.stdout, done.stderr, done.exit_status, signal)

    return asyncio.run(run())


async def connected(fleet: RunningFleet, host: Host) -> asyncssh.SSHClientConnection:
    return await asyncssh.connect(
        "127.0.0.1",
        host.ssh_port,
        username="deploy",
        config=None,
        client_keys=[str(fleet.directory / "client_key")],
        known_hosts=str(fleet.directory / "known_hosts"),
    )


def test_bytes_pass_both_ways_unchanged(fleet: RunningFleet) -> None:
    data = os.urandom(3_000_000)

    answer = ssh(fleet, fleet.hosts[0], "cat; printf '\\377' >&2", data)

    assert answer.stdout == data
    assert answer.stderr == b"\xff"
    assert answer.exit_status == 0


def test_exit_status_and_signal_reach_the_client(fleet: RunningFleet) -> None:
    assert ssh(fleet, fleet.hosts[0], "exit 42").exit_status == 42
    assert ssh(fleet, fleet.hosts[0], "kill -TERM $$").exit_signal == "TERM"


def test_a_command_that_reads_nothing_ends_though_much_is_sent(fleet: RunningFleet) -> None:
    assert ssh(fleet, fleet.hosts[0], "exit 3", os.urandom(3_000_000)).exit_status == 3


def test_a_host_is_its_own_home(fleet: RunningFleet) -> None:
    first, second = fleet.hosts
    ssh(fleet, first, 'echo here > "$HOME/mine"')

    assert ssh(fleet, first, "pwd; cat mine").stdout == f"{first.directory}\nhere\n".encode()
    assert ssh(fleet, second, "cat mine").exit_status == 1


def test_nothing_of_our_environment_reaches_a_host(fleet: RunningFleet) -> None:
    seen = ssh(fleet, fleet.hosts[0], "env").stdout.decode().splitlines()

    names = {line.partition("=")[0] for line in seen}
    assert names <= {"HOME", "LOGNAME", "OLDPWD", "PATH", "PWD", "SHELL", "SHLVL", "USER", "_"}


def test_every_host_has_its_own_key(fleet: RunningFleet) -> None:
    lines = (fleet.directory / "known_hosts").read_text().splitlines()
    assert len({line.split()[2] for line in lines}) == 2


def test_a_stranger_is_refused(fleet: RunningFleet, tmp_path: Path) -> None:
    stranger = asyncssh.generate_private_key("ssh-ed25519")

    async def run() -> None:
        async with asyncssh.connect(
            "127.0.0.1",
            fleet.hosts[0].ssh_port,
            username="deploy",
            config=None,
            client_keys=[stranger],
            known_hosts=str(fleet.directory / "known_hosts"),
        ):
            pass

    with pytest.raises(asyncssh.PermissionDenied):
        asyncio.run(run())


def test_a_command_outlives_the_client_that_was_cut_off(fleet: RunningFleet) -> None:
    host = fleet.hosts[0]
    done = Path(host.directory, "done")

    async def run() -> None:
        async with await connected(fleet, host) as there:
            await there.create_process(f"sleep 0.5; echo heard by nobody; touch {done}")
            await asyncio.sleep(0.1)
            there.abort()

    asyncio.run(run())

    deadline = time.monotonic() + 5
    while not done.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert done.exists()


def test_a_host_serves_what_is_current(fleet: RunningFleet) -> None:
    host = fleet.hosts[1]
    shop = Path(host.directory, CURRENT.parent)
    assert httpx.get(host.page).status_code == 503
    assert httpx.get(host.page + "healthz").status_code == 503

    for version in ("1", "2"):
        release = shop / "releases" / version
        release.mkdir(parents=True)
        (release / "index.html").write_text(f"<h1>{version} ✓</h1>")
        (shop / "next").symlink_to(release)
        (shop / "next").rename(shop / "current")

        answer = httpx.get(host.page)
        assert answer.text == f"<h1>{version} ✓</h1>"
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert answer.headers["Cache-Control"] == "no-store"
        assert httpx.get(host.page + "healthz").status_code == 200


def test_a_host_serves_nothing_else(fleet: RunningFleet) -> None:
    host = fleet.hosts[0]
    current = Path(host.directory, CURRENT)
    current.mkdir(parents=True)
    (current / "index.html").write_text("<h1>Shop</h1>")
    Path(host.directory, "secret").write_text("secret")

    for path in ("../../../secret", "..%2f..%2f..%2fsecret", "none"):
        # Not httpx: it would tidy the path before it asks.
        asking = HTTPConnection("127.0.0.1", host.page_port)
        asking.request("GET", f"/{path}")
        assert asking.getresponse().read() == b"There is no such page.\n"
        asking.close()


def test_the_fleet_ends_with_whoever_holds_its_stdin(tmp_path: Path) -> None:
    with running_fleet(tmp_path, "web-1") as fleet:
        port = fleet.hosts[0].page_port

    assert fleet.process.returncode == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/")
