"""Kills or pauses workers in the middle of rollbacks, and measures how long those lie still."""

import signal
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random

from tests.surviving.site import Site

_AT_WORK = """
    SELECT id, lease_owner, lease_epoch FROM dashboard_deployment
    WHERE status = 'RUNNING' AND rolls_back_id IS NOT NULL
"""
_ENDS = "SELECT id, finished_at FROM dashboard_deployment WHERE finished_at IS NOT NULL"


@dataclass(frozen=True)
class Interruption:
    """A rollback whose worker was cut off under this epoch; `at` in seconds of the epoch."""

    deployment: int
    epoch: int
    at: float


@dataclass
class Striker:
    """Picks its victims by a seeded chance, among those who have a rollback on their hands."""

    site: Site
    random: Random
    number: signal.Signals = signal.SIGKILL
    strikes: int = 0
    interruptions: list[Interruption] = field(default_factory=list)
    _next_at: float = 0.0

    def strike(self, *, least: float, most: float) -> None:
        """Strike one worker and start it again, if it is time to and there is one to strike."""
        if time.monotonic() < self._next_at:
            return
        if name := a_worker_at_work(self.site, self.random):
            held = held_by(self.site, self.site.now[name].owner)
            at = self.site.end_one(name, self.number)
            self.site.start(name)
            over = {deployment for deployment, _ in self.site.rows(_ENDS)}  # just before it
            cut = [Interruption(pk, epoch, at) for pk, epoch in held if pk not in over]
            self.strikes += bool(cut)
            self.interruptions += cut
            self._next_at = time.monotonic() + self.random.uniform(least, most)

    def gaps(self) -> list[float]:
        """Seconds from each interruption until somebody claimed it or it was over, in order.

        0 for one whose end was being written just then.
        """
        moments = defaultdict(list)
        for claim in self.site.claims():
            moments[claim.deployment].append(claim.at)
        for deployment, finished_at in self.site.rows(_ENDS):
            moments[deployment].append(_moment(finished_at))
        return sorted(
            min((at for at in moments[each.deployment] if at >= each.at), default=each.at) - each.at
            for each in self.interruptions
        )


@dataclass
class Pauser:
    """Stops workers until others have taken over all that they held, then lets them go on."""

    site: Site
    random: Random
    at_once: int
    pauses: int = 0
    _taken: dict[str, Sequence[tuple[int, int]]] = field(default_factory=dict)

    def strike(self) -> None:
        """Stop one more if there may be one more, and wake those that have nothing left."""
        if len(self._taken) < self.at_once and (
            name := a_worker_at_work(self.site, self.random, but_not=self._taken.keys())
        ):
            self.site.now[name].signal(signal.SIGSTOP)
            self._taken[name] = held_by(self.site, self.site.now[name].owner)
        for name, held in list(self._taken.items()):
            if not set(held) & set(held_by(self.site, self.site.now[name].owner)):
                self._wake(name)

    def rest(self) -> None:
        """Nobody stays stopped."""
        for name in list(self._taken):
            self._wake(name)

    def _wake(self, name: str) -> None:
        self.site.now[name].signal(signal.SIGCONT)
        self.pauses += bool(self._taken.pop(name))  # otherwise it had just ended


def a_worker_at_work(site: Site, random: Random, but_not: Iterable[str] = ()) -> str | None:
    """The name of one that has a rollback on its hands."""
    owners = {owner for _, owner, _ in site.rows(_AT_WORK)}
    names = [name for name, each in site.now.items() if each.owner in owners]
    there_are = sorted(set(names) - set(but_not))
    return random.choice(there_are) if there_are else None


def held_by(site: Site, owner: str) -> list[tuple[int, int]]:
    """The rollbacks it has, with their epochs."""
    return [(pk, epoch) for pk, holder, epoch in site.rows(_AT_WORK) if holder == owner]


def _moment(at: datetime | str) -> float:
    """SQLite has text, in UTC."""
    if isinstance(at, str):
        at = datetime.fromisoformat(at).replace(tzinfo=UTC)
    return at.timestamp()


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which that share of the sorted values lies."""
    return values[min(len(values) - 1, int(len(values) * share))]
