"""Kills workers in the middle of rollbacks, and measures how long those then lie still."""

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from tests.surviving.site import Site

_AT_WORK = """
    SELECT id, lease_owner, lease_epoch FROM dashboard_deployment
    WHERE status = 'RUNNING' AND rolls_back_id IS NOT NULL
"""


@dataclass(frozen=True)
class Interruption:
    """A rollback whose worker was cut off under this epoch; `at` in seconds of the epoch."""

    deployment: int
    epoch: int
    at: float


@dataclass
class Killer:
    """Picks its victims by a seeded chance, among those who have a rollback on their hands."""

    site: Site
    random: Random
    kills: int = 0
    interruptions: list[Interruption] = field(default_factory=list)
    _next_at: float = 0.0

    def strike(self, *, least: float, most: float) -> None:
        """Kill one worker and start it again, if it is time to and there is one to kill."""
        if time.monotonic() < self._next_at:
            return
        owners = {each.owner: name for name, each in self.site.now.items()}
        held = sorted({owner for _, owner, _ in self.site.rows(_AT_WORK)} & owners.keys())
        if not held:
            return
        owner = self.random.choice(held)
        at = self.site.kill(owners[owner])
        self.site.start(owners[owner])
        cut = [
            Interruption(pk, epoch, at)
            for pk, holder, epoch in self.site.rows(_AT_WORK)
            if holder == owner
        ]
        self.kills += bool(cut)  # otherwise it had just ended
        self.interruptions += cut
        self._next_at = time.monotonic() + self.random.uniform(least, most)

    def gaps(self) -> list[float]:
        """Seconds from each interruption to the next claim, in order of length."""
        claimed = defaultdict(list)
        for claim in self.site.claims():
            claimed[claim.deployment].append(claim)
        return sorted(
            min(
                claim.at
                for claim in claimed[each.deployment]
                if claim.epoch > each.epoch and claim.at >= each.at
            )
            - each.at
            for each in self.interruptions
        )


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which that share of the sorted values lies."""
    return values[min(len(values) - 1, int(len(values) * share))]
