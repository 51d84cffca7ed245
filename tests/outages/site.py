"""The production stack with the shop on it, to be disturbed."""

from dataclasses import dataclass
from typing import Any

import psycopg

from tests.operating.stack import Stack
from tests.outages.program import Program, eventually
from tests.outages.shop import Gate
from tests.sshd import Fleet


class Crowded(Stack):
    """A worker that works on everything at once."""

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | {"LASTGOOD_CONCURRENCY": "110"}


@dataclass
class Site:
    """A shop whose good version runs everywhere, and what it takes to disturb it."""

    stack: Stack
    fleet: Fleet
    gate: Gate
    program: Program

    def ask(self, query: str, *given: Any) -> list[tuple[Any, ...]]:
        """What the database knows and the API does not tell."""
        with psycopg.connect(self.stack.database.url) as connection:
            return connection.execute(query, given).fetchall()

    def are_at_the_gate(self, rollbacks: list[str], step: str = "Drain") -> None:
        query = (
            "SELECT count(*) FROM dashboard_step s JOIN dashboard_phase p ON s.phase_id = p.id"
            " WHERE p.deployment_id = ANY(%s) AND s.name LIKE %s AND s.status = 'RUNNING'"
        )
        ids = [int(each) for each in rollbacks]
        wanted = [(len(rollbacks),)]
        eventually(lambda: self.ask(query, ids, f"%{step}") == wanted, 120, lambda: "all at work")

    def outcomes(self, rollback: str) -> dict[str, Any]:
        """Of its only step."""
        query = (
            "SELECT outcomes FROM dashboard_step s JOIN dashboard_phase p ON s.phase_id = p.id"
            " WHERE p.deployment_id = %s"
        )
        [(found,)] = self.ask(query, int(rollback))
        return {host: found.get(host, {"state": ""}) for host in self.fleet.hosts}
