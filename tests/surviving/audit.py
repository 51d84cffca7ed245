"""Holds what the database and the hosts say against each other, once all has come to rest.

Nothing lost, done twice or stuck; no command of a worker after another one had taken over.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from tests.surviving import writes
from tests.surviving.catalogue import directory_of
from tests.surviving.site import Claim
from tests.surviving.traffic import Shop
from tests.surviving.witness import Command

_DEPLOYMENTS = """
    SELECT d.id, i.name, d.status, d.code, d.message, d.rolls_back_id, d.lease_epoch, d.after
    FROM dashboard_deployment d
    JOIN dashboard_target t ON t.id = d.target_id
    JOIN dashboard_infrastructure i ON i.id = t.infrastructure_id
    ORDER BY d.id
"""
_EVENTS = "SELECT deployment_id, status, epoch FROM dashboard_event ORDER BY id"
_STEPS = """
    SELECT p.deployment_id, s.name, s.status, s.outcomes, p.instances
    FROM dashboard_step s JOIN dashboard_phase p ON p.id = s.phase_id
"""
_STUCK = re.compile(r'lastgood_executions_stuck\{reason="(\w+)"\} (\S+)')


@dataclass(frozen=True)
class Row:
    """An execution as the database has it."""

    id: int
    name: str
    status: str
    code: str
    message: str
    rolls_back: int | None
    epoch: int
    after: Any

    @property
    def wanted(self) -> str:
        return "DEPLOYED" if self.rolls_back is None else "ROLLED_BACK"


@dataclass(frozen=True)
class Audited:
    """What was looked at."""

    rollbacks: int
    claims: int
    commands: int
    writes: int
    restarted_again: int

    def __str__(self) -> str:
        return (
            f"{self.rollbacks} rollbacks, {self.claims} claims, {self.commands} commands on hosts, "
            f"{self.writes} writes, "
            f"{self.restarted_again} restart commands more than once"
        )


def audit(shop: Shop, *, each_effect_once: bool = True) -> Audited:
    """Raise AssertionError with everything that is wrong; what was looked at, otherwise.

    `each_effect_once`: not to be asked where hosts themselves were killed in the middle.
    """
    rows = [
        Row(*row[:7], after=json.loads(row[-1]) if isinstance(row[-1], str) else row[-1])
        for row in shop.site.rows(_DEPLOYMENTS)
    ]
    claims, commands = shop.site.claims(), shop.site.fleet.commands()
    work = _Work(rows, claims, commands)
    wrong = [
        *_ends(rows),
        *_told(rows, shop.site.rows(_EVENTS)),
        *_steps(shop.site.rows(_STEPS)),
        *_verdicts(rows, shop.site.fleet.hosts),
        *work.stale(),
        *(work.repeated(shop.site.fleet.hosts) if each_effect_once else ()),
        *_epochs(claims),
        *(writes.of_others(shop.site) if shop.site.database else ()),
        *_stuck(shop.site.url),
        *_hosts(shop),
    ]
    assert not wrong, "\n".join(map(str, wrong))
    assert "all as they were recorded" in shop.site.manage("audit verify")
    rollbacks = sum(row.rolls_back is not None for row in rows)
    written = writes.count(shop.site) if shop.site.database else 0
    return Audited(rollbacks, len(claims), len(commands), written, work.restarted_again())


class _Work:
    """Each command with the claim it must have been made under: the target's newest at the time."""

    def __init__(
        self, rows: Sequence[Row], claims: Sequence[Claim], commands: Sequence[Command]
    ) -> None:
        self._rows = rows
        names = {row.id: directory_of(row.name) for row in rows}
        by_name: dict[str, list[Claim]] = defaultdict(list)
        for claim in claims:
            by_name[names[claim.deployment]].append(claim)
        self.done = [
            (command, _newest(by_name[command.directory.rpartition("/")[2]], command.at))
            for command in commands
            if command.is_of_an_execution and command.name != "script"
        ]

    def stale(self) -> list[str]:
        """Commands of a worker whose execution another one had already taken."""
        return [
            f"{command.worker}: {command.name} on {command.host} at {command.at:.3f}, under {claim}"
            for command, claim in self.done
            if claim is None or claim.worker != command.worker
        ]

    def repeated(self, hosts: Sequence[str]) -> list[str]:
        """Every execution that succeeded has switched each host exactly once."""
        counted = self._counted("switch")
        return [
            f"execution {row.id} switched {host} {counted[row.id, host]} times"
            for row in self._rows
            for host in hosts
            if row.status == "SUCCEEDED" and counted[row.id, host] != 1
        ]

    def restarted_again(self) -> int:
        return sum(count > 1 for count in self._counted("restart").values())

    def _counted(self, name: str) -> Counter[tuple[int, str]]:
        return Counter(
            (claim.deployment, command.host)
            for command, claim in self.done
            if claim is not None and command.name == name
        )


def _newest(claims: Sequence[Claim], at: float) -> Claim | None:
    """By number: who is paused between a claim and its line in the log tells of it too late."""
    earlier = [claim for claim in claims if claim.at <= at]
    return max(earlier, key=lambda claim: (claim.deployment, claim.epoch), default=None)


def _ends(rows: Sequence[Row]) -> list[str]:
    """All have ended well, and what was undone was undone once."""
    undone = Counter(row.rolls_back for row in rows if row.rolls_back is not None)
    return [
        *(f"{row.name}: {row}" for row in rows if row.status != "SUCCEEDED"),
        *(f"execution {pk} was undone {count} times" for pk, count in undone.items() if count > 1),
    ]


def _told(rows: Sequence[Row], events: Sequence[tuple[Any, ...]]) -> list[str]:
    """Each began once and ended once, and the one who ended it was the last to claim it."""
    told: dict[int, list[tuple[str, int]]] = defaultdict(list)
    for deployment, status, epoch in events:
        told[deployment].append((status, epoch))
    return [
        f"execution {row.id} (epoch {row.epoch}) tells {told[row.id]}"
        for row in rows
        if [status for status, _ in told[row.id]] != ["QUEUED", "RUNNING", "SUCCEEDED"]
        or told[row.id][-1][1] != row.epoch
    ]


def _steps(steps: Sequence[tuple[Any, ...]]) -> list[str]:
    """Each step has succeeded, with one outcome for each of its instances and for no other."""
    wrong = []
    for deployment, name, status, *documents in steps:
        outcomes, instances = (
            json.loads(each) if isinstance(each, str) else each for each in documents
        )
        states = {key: outcome["state"] for key, outcome in outcomes.items()}
        if (
            status != "SUCCEEDED"
            or set(states) != set(instances)
            or not set(states.values()) <= {"DONE", "UNCHANGED"}
        ):
            wrong.append(f"step {name} of execution {deployment} is {status} with {states}")
    return wrong


def _verdicts(rows: Sequence[Row], hosts: Sequence[str]) -> list[str]:
    """The look afterwards has one verdict for each host, and it is the one that was wanted."""
    wrong = []
    for row in rows:
        found = sorted(
            (each["key"], each["verdict"]) for each in (row.after or {}).get("instances", ())
        )
        if found != sorted((host, row.wanted) for host in hosts):
            wrong.append(f"execution {row.id} shows {found}")
    return wrong


def _epochs(claims: Sequence[Claim]) -> list[str]:
    """Nobody claimed what another one had claimed with the same epoch."""
    counted = Counter((claim.deployment, claim.epoch) for claim in claims)
    return [
        f"execution {deployment} was claimed {count} times with epoch {epoch}"
        for (deployment, epoch), count in counted.items()
        if count > 1
    ]


def _stuck(url: str) -> list[str]:
    found = _STUCK.findall(httpx.get(f"{url}/metrics", timeout=30).text)
    assert found, "the metric of stuck executions is gone"
    return [f"stuck: {reason} {count}" for reason, count in found if float(count)]


def _hosts(shop: Shop) -> list[str]:
    """Byte for byte as before."""
    wrong = []
    for host, tree in shop.trees().items():
        before = shop.before[host]
        if tree != before:
            differs = sorted(
                path for path in tree.keys() | before if tree.get(path) != before.get(path)
            )
            wrong.append(f"{host} differs in {differs[:20]}")
    return wrong
