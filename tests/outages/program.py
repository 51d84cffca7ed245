"""A program that deploys and rolls back through the API, and asks until it is answered."""

import time
from collections.abc import Callable, Iterable
from typing import Any

import httpx

from tests.ports import NO_AUTHORITIES

OVER = {"SUCCESS", "FAILED", "ABORTED", "PAUSED"}
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
    nodes { id status failureDetails }
  }
}"""


class Refused(Exception):
    """The API answered, and it was no."""


class Program:
    """What deploys and rolls back with a key.

    As every program that must get through an outage, it asks again where it got no answer or a 5xx.
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
        answer = httpx.post(
            self._url, json=sent, headers=self._headers, timeout=30, verify=NO_AUTHORITIES
        )
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
        found = self.ask_once(_CONFIRM, id=execution)["rollbackConfirmation"]
        if not found["plan"]:
            raise Refused(found["refusals"])
        fingerprint = found["plan"]["fingerprint"]
        sent = {"executionId": execution, "fingerprint": fingerprint, "notes": "Prices are 0"}
        started: str = self.ask_once(_ROLL_BACK, i=sent)["rollbackDeployment"]["execution"]["id"]
        return started

    def abort(self, execution: str) -> None:
        self.ask(_ABORT, i={"executionId": execution})

    def executions(self, *ids: str) -> list[dict[str, Any]]:
        """These, a hundred at most."""
        filters = [{"execution": {"operator": "IN", "values": list(ids)}}]
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
