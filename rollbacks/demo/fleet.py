"""The hosts of the demo, one process: `python -m rollbacks.demo.fleet DIRECTORY NAME…`.

Each host is a directory, an SSH server with its own key, and a web page, on loopback ports that
were free. Prints one line of JSON once all of them listen; ends when its standard input is closed,
which also happens when whoever started it is killed.
"""

import asyncio
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import asyncssh

from rollbacks.demo.pages import PageServer
from rollbacks.demo.sessions import Sessions

LOOPBACK = "127.0.0.1"
CURRENT = Path("srv/shop/current")


@dataclass(frozen=True)
class Host:
    """Where one host is reached: its SSH server and its page."""

    name: str
    directory: str
    ssh_port: int
    page_port: int

    @property
    def page(self) -> str:
        return f"http://{LOOPBACK}:{self.page_port}/"


async def _start_host(
    directory: Path, name: str, client_key: asyncssh.SSHKey
) -> tuple[Host, str, Sessions]:
    """The host, its line in known_hosts, and its sessions."""
    home = directory / "hosts" / name
    home.mkdir(parents=True, exist_ok=True)
    sessions = Sessions(home)
    host_key = asyncssh.generate_private_key("ssh-ed25519")
    server = await asyncssh.listen(
        LOOPBACK,
        0,
        server_host_keys=[host_key],
        authorized_client_keys=asyncssh.import_authorized_keys(_public(client_key)),
        process_factory=sessions.run,
        encoding=None,
    )
    host = Host(name, str(home), server.get_port(), PageServer(home / CURRENT).port)
    return host, f"[{LOOPBACK}]:{host.ssh_port} {_public(host_key)}", sessions


async def run(directory: Path, names: list[str]) -> None:
    """Start the hosts, say where they are, and let them be until standard input ends."""
    client_key = asyncssh.generate_private_key("ssh-ed25519")
    started = [await _start_host(directory, name, client_key) for name in names]
    _write_secret(directory / "client_key", client_key.export_private_key().decode())
    (directory / "known_hosts").write_text("".join(line for _, line, _ in started))
    sys.stdout.write(json.dumps([asdict(host) for host, _, _ in started]) + "\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    for _, _, sessions in started:
        sessions.kill()


def _public(key: asyncssh.SSHKey) -> str:
    return key.export_public_key().decode()


def _write_secret(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1]), sys.argv[2:]))
