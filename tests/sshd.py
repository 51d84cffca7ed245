"""Real hosts for tests: OpenSSH's own sshd, one process and one host key each, on loopback.

    with Fleet(3, directory) as fleet:
        fleet.connector, fleet.infrastructure, fleet.private_key   # for a catalogue or a scene
        fleet.target()                                             # for a platform
        fleet.pause("web-2")                                       # it hangs until resume()

All hosts share this machine's file system, and everything runs as the current user; each host's
root is a directory of its own, and the service lives in srv/shop below it, which is not there yet.
"""

import os
import shutil
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from getpass import getuser
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import asyncssh

from rollbacks.platforms.base import Secret, TargetRef
from tests.ports import LOOPBACK, free_port

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
START_SECONDS = 20.0
Tree = dict[str, tuple[str, int, bytes]]

_CONFIG = """\
ListenAddress {address}
Port {port}
HostKey {directory}/host_key
AuthorizedKeysFile {keys}
PidFile none
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication no
KbdInteractiveAuthentication no
MaxStartups 500
MaxSessions 100
LogLevel VERBOSE
PrintMotd no
PrintLastLog no
SetEnv "HOME={home}"
{options}
"""


@dataclass
class _Sshd:
    """One listening process and where it keeps its things."""

    name: str
    directory: Path
    port: int = 0
    address: str = LOOPBACK
    options: str = ""
    process: subprocess.Popen[bytes] | None = None


class Fleet:
    """Hosts web-1, web-2, …; use as a context manager."""

    def __init__(self, count: int, directory: Path) -> None:
        self.directory = directory
        self.hosts = [f"web-{number}" for number in range(1, count + 1)]
        self._sshds = {name: _Sshd(name, directory / "sshd" / name) for name in self.hosts}
        self.options = ""  # more lines of each sshd's configuration, from its next start on
        self._client_key = asyncssh.generate_private_key("ssh-ed25519")
        self.image: Path | None = None  # what the disk of one that is added begins with
        self.authority = asyncssh.generate_private_key("ssh-ed25519")

    def __enter__(self) -> Self:
        assert SSHD, "openssh-server is not installed"
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.authorized_keys.write_bytes(self._client_key.export_public_key())
        try:
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(self._prepare, self.hosts))
                list(pool.map(self.start, self.hosts))
        except BaseException:
            self._end()
            raise
        self.trust()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    # What a connector and an infrastructure say about it

    @property
    def private_key(self) -> str:
        """The client's key; every host lets it in."""
        return self._client_key.export_private_key().decode()

    @property
    def known_hosts(self) -> Path:
        return self.directory / "known_hosts"

    @property
    def connector(self) -> dict[str, Any]:
        """Settings of a connector, with time limits fit for tests."""
        return {
            "user": getuser(),
            "known_hosts": str(self.known_hosts),
            "connect_timeout": 5,
            "command_timeout": 20,
        }

    @property
    def infrastructure(self) -> dict[str, Any]:
        """Settings of an infrastructure definition with all hosts."""
        return {
            "directory": f"{self.directory}/hosts/{{name}}/srv/shop",
            "hosts": [
                {"name": each.name, "address": each.address, "port": each.port}
                for each in self._sshds.values()
            ],
        }

    def target(self, **connector: Any) -> TargetRef:
        """For a platform's call; keywords replace settings of the connector."""
        return TargetRef(
            application="Shop",
            service="storefront",
            environment="production",
            infrastructure="web hosts",
            connector={**self.connector, **connector},
            settings=self.infrastructure,
            credential=Secret(self.private_key),
        )

    # What is on a host

    def root(self, host: str) -> Path:
        """The directory that stands for the host's file system."""
        return self.directory / "hosts" / host

    def path(self, host: str, path: str = "") -> Path:
        """A path below the service's directory on the host."""
        return self.root(host) / "srv" / "shop" / path

    def read(self, host: str, path: str) -> str:
        """A file below the service's directory on the host."""
        return self.path(host, path).read_text()

    def link(self, host: str) -> str | None:
        """The text of the link `current`."""
        current = self.path(host, "current")
        return os.readlink(current) if current.is_symlink() else None

    def tree(self, host: str) -> Tree:
        """Every name on the host with its type, mode, and content or link text."""
        root = self.root(host)
        return {str(path.relative_to(root)): _snapshot(path) for path in root.rglob("*")}

    def log(self, host: str) -> str:
        """What its sshd logged since the host was first started."""
        return (self._sshds[host].directory / "log").read_text(errors="replace")

    # What can happen to a host

    def add(self, host: str, address: str, port: int) -> None:
        """One more, which listens at an address of its own. Nothing of it is known yet."""
        if self.image is not None:
            shutil.copytree(self.image, self.root(host), symlinks=True)
        self.hosts.append(host)
        sshd = self._sshds[host] = _Sshd(host, self.directory / "sshd" / host, port, address)
        self._prepare(host)
        self._sign(sshd)
        self.start(host)

    def remove(self, host: str) -> None:
        """It is there no more; what was on it can still be looked at."""
        self.hosts.remove(host)
        _kill(self._sshds.pop(host))

    def _sign(self, sshd: _Sshd) -> None:
        """An authority vouches for its key, as for those of machines that come and go."""
        key = asyncssh.read_public_key(sshd.directory / "host_key.pub")
        made = self.authority.generate_host_certificate(key, sshd.name, principals=[sshd.address])
        made.write_certificate(sshd.directory / "host_key-cert.pub")
        sshd.options = f"HostCertificate {sshd.directory}/host_key-cert.pub\n"

    def trust_authority(self, port: int) -> None:
        """Write known_hosts: whoever the authority vouches for, on that port."""
        key = self.authority.export_public_key().decode()
        self.known_hosts.write_text(f"@cert-authority [127.*]:{port} {key}")

    def start(self, host: str) -> None:
        """Listen, on the same port as before."""
        sshd = self._sshds[host]
        deadline = time.monotonic() + START_SECONDS
        while True:
            sshd.port = sshd.port or free_port()
            self._launch(sshd)
            if _listens(sshd, deadline):
                return
            assert time.monotonic() < deadline, f"{host} did not start: {self.log(host)}"
            sshd.port = 0  # somebody else was quicker to take it

    def stop(self, host: str) -> None:
        """Connections are refused, and open ones lost."""
        _kill(self._sshds[host])

    def pause(self, host: str) -> None:
        """It takes connections and says nothing; open sessions hang as well."""
        _signal(self._sshds[host], signal.SIGSTOP)

    def resume(self, host: str) -> None:
        """It goes on where it was paused."""
        _signal(self._sshds[host], signal.SIGCONT)

    def rekey(self, host: str) -> None:
        """It comes back with another host key, as a stranger in its place would."""
        self.stop(host)
        self._new_host_key(host)
        self.start(host)

    def port(self, host: str) -> int:
        return self._sshds[host].port

    def host_key(self, host: str) -> Path:
        """Its private half; the public one is beside it."""
        return self._sshds[host].directory / "host_key"

    def trust(self, hosts: Iterable[str] | None = None) -> None:
        """Write known_hosts: the present keys of these hosts (None: of all)."""
        lines = [
            f"[{self._sshds[host].address}]:{self._sshds[host].port} "
            + (self._sshds[host].directory / "host_key.pub").read_text()
            for host in (self.hosts if hosts is None else hosts)
        ]
        self.known_hosts.write_text("".join(lines))

    @property
    def authorized_keys(self) -> Path:
        return self.directory / "authorized_keys"

    def _prepare(self, host: str) -> None:
        self._sshds[host].directory.mkdir(parents=True, exist_ok=True)
        self.root(host).mkdir(parents=True, exist_ok=True)
        self._new_host_key(host)

    def _new_host_key(self, host: str) -> None:
        key = asyncssh.generate_private_key("ssh-ed25519")
        path = self._sshds[host].directory / "host_key"
        path.touch(mode=0o600)
        path.write_bytes(key.export_private_key())
        path.with_suffix(".pub").write_bytes(key.export_public_key())

    def _launch(self, sshd: _Sshd) -> None:
        config = sshd.directory / "config"
        config.write_text(
            sshd.options
            + _CONFIG.format(
                address=sshd.address,
                port=sshd.port,
                directory=sshd.directory,
                keys=self.authorized_keys,
                home=self.root(sshd.name),
                options=self.options.format(directory=sshd.directory),
            )
        )
        assert SSHD
        log = str(sshd.directory / "log")
        sshd.process = subprocess.Popen(
            [SSHD, "-D", "-f", str(config), "-E", log],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def _end(self) -> None:
        for sshd in self._sshds.values():
            _kill(sshd)


def _snapshot(path: Path) -> tuple[str, int, bytes]:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return "link", 0o777, os.readlink(os.fsencode(path))
    if stat.S_ISDIR(mode):
        return "directory", stat.S_IMODE(mode), b""
    return "file", stat.S_IMODE(mode), path.read_bytes()


def _listens(sshd: _Sshd, deadline: float) -> bool:
    """Whether it answers with its banner, before it ends or the time does."""
    assert sshd.process
    while time.monotonic() < deadline:
        if sshd.process.poll() is not None:
            return False
        with (
            suppress(OSError),
            socket.create_connection((sshd.address, sshd.port), 1) as connection,
        ):
            if connection.recv(4) == b"SSH-":
                return True
        time.sleep(0.01)
    return False


def _signal(sshd: _Sshd, number: signal.Signals) -> None:
    if sshd.process is not None and sshd.process.poll() is None:
        for pid in [sshd.process.pid, *_descendants(sshd.process.pid)]:
            with suppress(ProcessLookupError):
                os.kill(pid, number)


def _kill(sshd: _Sshd) -> None:
    _signal(sshd, signal.SIGSTOP)  # so that nothing is started in between
    _signal(sshd, signal.SIGKILL)
    if sshd.process is not None:
        sshd.process.wait()


def _descendants(pid: int) -> list[int]:
    """Sessions are in process groups of their own; Linux says who started whom."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(entry.name))
    found, ahead = list[int](), [pid]
    while ahead:
        below = children.get(ahead.pop(), [])
        found += below
        ahead += below
    return found
