"""A shop on many targets, whose hosts wait at a gate in the middle of a rollback.

So a test need not hit a moment by luck.
"""

import fcntl
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import IO, Any

import yaml

from tests.artifacts import checksum, zip_artifact
from tests.sshd import Fleet, Tree

GOOD, BAD = "1.4.1", "1.4.2"
Steps = list[dict[str, Any]]


class Gate:
    """A file that hosts ask for a lock; whoever comes while it is closed waits, at no cost.

    It opens by itself when the test's process ends, so that nobody waits for ever.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._path.touch()
        self._held: IO[str] | None = None

    @property
    def command(self) -> str:
        """What hosts run: it ends once the gate is open."""
        return f"flock --shared {self._path} true"

    def close(self) -> None:
        self._held = self._path.open("w")
        fcntl.flock(self._held, fcntl.LOCK_EX)

    def open(self) -> None:
        if self._held:
            self._held.close()
            self._held = None


def gated(gate: Gate) -> Steps:
    """Its rollback waits at the gate before it touches anything."""
    script = {"command": "true", "undo_command": gate.command}
    return [
        {"name": "Install", "kind": "ssh.install"},
        {"name": "Drain", "kind": "ssh.script", "settings": script},
    ]


def restarting(gate: Gate, timeout: float) -> Steps:
    """Its rollback waits at the gate in the midst of the change: switched, not yet restarted."""
    command = f'test "$LASTGOOD_DIRECTION" = deploy || {gate.command}'
    install = {"name": "Install", "kind": "ssh.install", "timeout": timeout}
    return [{**install, "settings": {"restart_command": command}}]


def catalogue(fleet: Fleet, directory: Path, targets: Mapping[str, tuple[list[str], Steps]]) -> str:
    """The shop; a target is an infrastructure on these hosts and a workflow of the same name."""
    artifacts = []
    for version in (GOOD, BAD):
        content = zip_artifact({"index.html": version})
        path = directory / f"{version}.zip"
        path.write_bytes(content)
        artifacts.append(
            {"service": "web", "version": version, "location": str(path)}
            | {"checksum": checksum(content)}
        )
    key = directory / "client_key"
    key.write_text(fleet.private_key)
    shop = {
        "name": "Shop",
        "services": [{"name": "web", "deployment_type": "SSH", "artifact_type": "ZIP"}],
        "environments": [
            {
                "name": "Production",
                "type": "PRODUCTION",
                "infrastructures": [
                    {"name": name, "connector": "hosts", "settings": _settings(fleet, name, hosts)}
                    for name, (hosts, _) in targets.items()
                ],
            }
        ],
        "artifacts": artifacts,
        "workflows": [
            {
                "name": name,
                "type": "BASIC",
                "service": "web",
                "infrastructure": f"Production / {name}",
                "definition": {"phases": [{"name": "Hosts", "steps": steps}]},
            }
            for name, (_, steps) in targets.items()
        ],
    }
    may = {"applications": "ALL", "environments": ["ALL"]}
    deploying = ["READ", "EXECUTE_WORKFLOW", "ROLLBACK_WORKFLOW", "ABORT_WORKFLOW"]
    connector = {
        "name": "hosts",
        "deployment_type": "SSH",
        "credential": f"file:{key}",
        # Nothing that waits at the gate may be given up on a busy machine.
        "settings": {**fleet.connector, "connect_timeout": 15, "command_timeout": 300},
    }
    group = {
        "name": "Operators",
        "account_permissions": ["Manage Applications"],
        "app_permissions": [
            {"type": "DEPLOYMENT", "actions": deploying, **may},
            {"type": "ALL", "actions": ["READ"], **may},
        ],
    }
    return yaml.safe_dump(
        {"connectors": [connector], "applications": [shop], "user_groups": [group]}
    )


def _settings(fleet: Fleet, name: str, hosts: Collection[str]) -> dict[str, Any]:
    every = fleet.infrastructure
    chosen = [each for each in every["hosts"] if each["name"] in hosts]
    return {"directory": f"{every['directory']}/{name}", "hosts": chosen}


def trees(fleet: Fleet) -> dict[str, Tree]:
    """Everything on every host, byte for byte."""
    return {host: fleet.tree(host) for host in fleet.hosts}
