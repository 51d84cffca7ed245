"""A shop on many targets, and a program that drives it through the API until it is answered.

Hosts wait at a gate in the middle of a rollback, so that a test need not hit a moment by luck.
"""

import fcntl
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import IO, Any

import httpx
import yaml

from tests.artifacts import checksum, zip_artifact
from tests.sshd import Fleet, Tree

GOOD, BAD = "1.4.1", "1.4.2"
OVER = {"SUCCESS", "FAILED", "ABORTED", "PAUSED"}
Steps = list[dict[str, Any]]

_WORKFLOWS = """query($offset: Int!) {
  applicationByName(name: "Shop") { id }
  workflows(limit: 100, offset: $offset) { nodes { id name } }
}"""
_START = "mutation($i: StartExecutionInput!) { startExecution(input: $i) { execution { id } } }"
_CONFIRM = """query($id: String!) {
  rollbackConfirmation(executionId: $id) { plan { fingerprint } refusals { sentence } }
}"""
_ROLL_BACK = """mutation($i: RollbackDeploymentInput!) {
  rollbackDeployment(input: $i) { execution { id } }
}"""
_ABORT = "mutation($i: AbortExecutionInput!) { abortExecution(input: $i) { execution { id } } }"
_EXECUTIONS = """query($filters: [ExecutionFilter!]) {
  executions(limit: 100, filters: $filters) {
    nodes { id status failureDetails ... on WorkflowExecution { rollsBack } }
  }
}"""


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


class Refused(Exception):
    """The API answered, and it was no."""


class Program:
    """What deploys and rolls back with a key.

    As every program that must get through an outage, it asks again where it got no answer or a
    5xx; what it had asked for may have been done, so it looks before it asks for a rollback again.
    """

    def __init__(self, url: str, key: str, *, within: float = 60) -> None:
        self._url, self._headers, self._within = f"{url}/graphql", {"x-api-key": key}, within
        self._workflows: dict[str, str] = {}
        self._application = ""

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """Until it is answered."""
        deadline = time.monotonic() + self._within
        while True:
            try:
                return self.ask_once(query, **variables)
            except (httpx.TransportError, httpx.HTTPStatusError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.5)

    def ask_once(self, query: str, **variables: Any) -> dict[str, Any]:
        """Raises httpx's errors where there is no answer, Refused where it is no."""
        sent = {"query": query, "variables": variables}
        answer = httpx.post(self._url, json=sent, headers=self._headers, timeout=30)
        if answer.status_code >= 500:
            answer.raise_for_status()
        said = answer.json()
        if "errors" in said:
            raise Refused(said["errors"])
        data: dict[str, Any] = said["data"]
        return data

    def deploy(self, name: str, version: str) -> str:
        """Start the workflow of this name; the execution's id."""
        while name not in self._workflows:
            found = self.ask(_WORKFLOWS, offset=len(self._workflows))
            self._application = found["applicationByName"]["id"]
            self._workflows |= {each["name"]: each["id"] for each in found["workflows"]["nodes"]}
            assert found["workflows"]["nodes"], f"no workflow {name}"
        build = {"valueType": "BUILD_NUMBER", "buildNumber": {"buildNumber": version}}
        sent = {
            "applicationId": self._application,
            "entityId": self._workflows[name],
            "executionType": "WORKFLOW",
            "serviceInputs": [{"name": "web", "artifactValueInput": build}],
        }
        started: str = self.ask(_START, i=sent)["startExecution"]["execution"]["id"]
        return started

    def roll_back(self, execution: str) -> str:
        """Start its rollback, or find the one that was started before the answer was lost."""
        deadline = time.monotonic() + self._within
        while True:
            try:
                return self.roll_back_once(execution)
            except (httpx.TransportError, httpx.HTTPStatusError, Refused):
                begun = [each for each in self.executions() if each["rollsBack"] == execution]
                if begun:
                    return str(begun[0]["id"])
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.5)

    def roll_back_once(self, execution: str) -> str:
        found = self.ask_once(_CONFIRM, id=execution)["rollbackConfirmation"]
        assert found["plan"], found["refusals"]
        fingerprint = found["plan"]["fingerprint"]
        sent = {"executionId": execution, "fingerprint": fingerprint, "notes": "Prices are 0"}
        started: str = self.ask_once(_ROLL_BACK, i=sent)["rollbackDeployment"]["execution"]["id"]
        return started

    def abort(self, execution: str) -> None:
        self.ask(_ABORT, i={"executionId": execution})

    def executions(self, *ids: str) -> list[dict[str, Any]]:
        """These (a hundred at most), or the newest hundred."""
        filters = [{"execution": {"operator": "IN", "values": list(ids)}}] if ids else []
        nodes: list[dict[str, Any]] = self.ask(_EXECUTIONS, filters=filters)["executions"]["nodes"]
        return nodes

    def finished(self, executions: Iterable[str], within: float) -> dict[str, tuple[str, str]]:
        """Status and reason of each, once all are over."""
        ids = list(executions)
        found: dict[str, tuple[str, str]] = {}

        def are_over() -> bool:
            left = [each for each in ids if found.get(each, ("",))[0] not in OVER]
            for each in self.executions(*left[:100]):
                found[each["id"]] = each["status"], each["failureDetails"]
            return len(found) == len(ids) and all(status in OVER for status, _ in found.values())

        eventually(are_over, within, lambda: f"the end of all: {found}")
        return found

    def release(self, names: Iterable[str], *versions: str, within: float) -> dict[str, str]:
        """Deploy the versions to each target, one after the other; ids of the last, by target."""
        newest: dict[str, str] = {}
        for version in versions:
            newest = {name: self.deploy(name, version) for name in names}
            ended = self.finished(newest.values(), within)
            assert {status for status, _ in ended.values()} == {"SUCCESS"}, ended
        return newest


def eventually(
    holds: Callable[[], bool], within: float, what: Callable[[], str] = lambda: "it"
) -> float:
    """Wait until it holds; the seconds that took."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < within, f"not within {within:g} s: {what()}"
        time.sleep(0.2)
    return time.monotonic() - began
