"""`manage.py workers`: which worker processes live; fails where none does."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from dashboard.models import WorkerSeen
from dashboard.operating import counts
from dashboard.operating.health import START, SWEPT_WITHIN


class Command(BaseCommand):
    # It is a health check too, so it is to cost little.
    requires_system_checks = ()
    help = "List the worker processes with when each was last seen."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--here", action="store_true", help="only those of this machine")

    def handle(self, *args: Any, here: bool, **options: Any) -> None:
        machine = counts.process_name().rpartition(":")[0]
        seen = WorkerSeen.objects.filter(name__startswith=f"{machine}:" if here else "")
        now = timezone.now()
        for worker in seen:
            swept = (now - worker.at).total_seconds()
            hint = worker.took_hint_at and (now - worker.took_hint_at).total_seconds()
            told = "none yet" if hint is None else f"{hint:.0f} s ago"
            self.stdout.write(f"{worker}: swept {swept:.0f} s ago, took a hint: {told}")
        if not seen.filter(at__gte=now - SWEPT_WITHIN).exists():
            raise CommandError(f"No worker was seen within {SWEPT_WITHIN.seconds} s. {START}")
