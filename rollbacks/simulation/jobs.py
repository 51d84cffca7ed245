"""Many schedules in processes of their own, which cannot reach the caller's database.

Seeds are consecutive numbers, so that any one of them can be run again alone.
"""

import gc
import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import lru_cache
from multiprocessing import get_context, parent_process
from threading import Thread

import django

from rollbacks.simulation.database import laboratory
from rollbacks.simulation.schedule import Simulator

AT_ONCE = 50
_held = ExitStack()  # what a job's process keeps open for as long as it lives


@dataclass
class Tally:
    """What came of some schedules; `story`: of the first that broke a rule, or of the only one."""

    schedules: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    failed_seed: int | None = None
    story: str = ""

    def add(self, other: "Tally") -> None:
        self.schedules += other.schedules
        self.ends += other.ends
        self.faults += other.faults
        if self.failed_seed is None:
            self.failed_seed, self.story = other.failed_seed, other.story


def tallies(first: int, count: int, jobs: int) -> Iterator[Tally]:
    """Run the schedules of so many seeds in so many processes; ends after the first that fails."""
    seeds = range(first, first + count)
    parts = [seeds[start : start + AT_ONCE] for start in range(0, count, AT_ONCE)]
    jobs = min(jobs, len(parts))
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=django.setup)
    try:
        for tally in pool.map(_run, parts):
            yield tally
            if tally.failed_seed is not None:
                return
    finally:
        pool.shutdown(cancel_futures=True)


def _run(seeds: range) -> Tally:
    simulator, tally = _simulator(), Tally()
    for seed in seeds:
        outcome = simulator.run(seed)
        tally.schedules += 1
        tally.faults.update(outcome.faults)
        tally.ends.update(
            f"{'rollback' if each.rolls_back else 'deployment'} {each.status.lower()} {each.code}"
            for each in outcome.evidence.executions
        )
        if outcome.violations:
            tally.failed_seed, tally.story = seed, outcome.story
            break
        if len(seeds) == 1:
            tally.story = outcome.story
    gc.collect()
    return tally


def _end_with_the_parent() -> None:
    """A parent that is killed tells its pool nothing, which would wait for work for ever."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


@lru_cache(maxsize=1)
def _simulator() -> Simulator:
    """One for the life of the process: to migrate takes as long as many schedules."""
    Thread(target=_end_with_the_parent, daemon=True).start()
    shelf = _held.enter_context(laboratory())
    # A fifth of the time went into looking for garbage among what lives as long as the process.
    gc.collect()
    gc.freeze()
    gc.disable()
    return Simulator(shelf)
