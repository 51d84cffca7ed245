"""`manage.py prune`: what the workers do every hour, now and to the end."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from dashboard.models import LogLine, Step
from rollbacks import retention


class Command(BaseCommand):
    help = "Delete old log lines and journals that no rollback can need (docs/operate.md)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what would go")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        for what, days in (("Logs", settings.KEEP_LOG_DAYS), ("Journals", _journal_days())):
            self.stdout.write(f"{what} are kept {f'{days} days' if days else 'for ever'}.")
        if dry_run:
            self._tell()
            return
        done = retention.prune(timezone.now())
        self.stdout.write(f"Pruned the journals of {done.journals} executions.")
        self.stdout.write(f"Pruned the log lines of {done.logs} others.")

    def _tell(self) -> None:
        now = timezone.now()
        journals, logs = retention.with_old_journal(now), retention.with_old_log(now)
        steps = Step.objects.filter(phase__deployment__in=journals).count()
        self.stdout.write(f"Would prune the journals of {journals.count()}, {steps} steps.")
        others = logs.exclude(pk__in=journals)
        lines = LogLine.objects.filter(step__phase__deployment__in=logs | journals).count()
        self.stdout.write(f"Would prune the log lines of {others.count()} others.")
        self.stdout.write(f"{lines} log lines in all. Nothing was deleted.")


def _journal_days() -> int:
    days: int = settings.KEEP_JOURNAL_DAYS
    return days
