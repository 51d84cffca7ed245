"""`manage.py simulate`: thousands of bad days for the engine, each from its seed."""

import os
import sys
import time
from argparse import ArgumentParser
from random import SystemRandom
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from rollbacks.simulation import jobs

TELLS_EVERY = 1000


class Command(BaseCommand):
    help = "Try the engine under simulated faults and audit what came of it; touches no database."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seed", type=int, help="the first schedule's; drawn if left out")
        parser.add_argument("--schedules", type=int, default=1000, help="how many (default: 1000)")
        parser.add_argument(
            "--jobs", type=int, default=os.cpu_count() or 1, help="default: one for each core"
        )

    def handle(
        self, *args: Any, seed: int | None, schedules: int, jobs: int, **options: Any
    ) -> None:
        if schedules < 1 or jobs < 1:
            raise CommandError("There must be at least one schedule and one job.")
        first = SystemRandom().randrange(10**9) if seed is None else seed
        self._say(f"Seed {first}: {schedules} schedules, {jobs} jobs.")
        total = self._run(first, schedules, jobs)
        if total.story:
            self._say(total.story)
        if total.failed_seed is not None:
            self._say(f"Seed {total.failed_seed} breaks a rule. To see just that again:")
            self._say(f"  python manage.py simulate --seed {total.failed_seed} --schedules 1")
            sys.exit(1)

    def _run(self, first: int, schedules: int, count: int) -> jobs.Tally:
        total, began = jobs.Tally(), time.monotonic()
        for tally in jobs.tallies(first, schedules, count):
            total.add(tally)
            if total.schedules % TELLS_EVERY == 0:
                rate = total.schedules / (time.monotonic() - began)
                self._say(f"{total.schedules} of {schedules}, {rate:.1f} a second")
        self._summarise(total)
        return total

    def _summarise(self, total: jobs.Tally) -> None:
        for title, counts in (("Faults", total.faults), ("Ends", total.ends)):
            self._say(f"{title} in {total.schedules} schedules:")
            for name, count in sorted(counts.items()):
                self._say(f"  {count:8} {name.replace('_', ' ')}")
        if total.failed_seed is None:
            self._say(f"No violation in {total.schedules} schedules.")

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
