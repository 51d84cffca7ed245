"""`manage.py audit`: is the trail what was recorded, and all of it as a file."""

import re
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import audit
from accounts.export import FORMATS
from accounts.models import AuditEvent

ANCHOR = re.compile(r"\A(\d{1,18}):([0-9a-f]{64})\Z")


class Command(BaseCommand):
    help = "Verify or export the audit trail."

    def add_arguments(self, parser: ArgumentParser) -> None:
        kinds = parser.add_subparsers(dest="what", required=True)
        verify = kinds.add_parser("verify", help="Find rows that were edited, removed or swapped.")
        verify.add_argument(
            "--anchor",
            metavar="NUMBER:SEAL",
            help="A line that an earlier verify printed: nothing up to there may have changed.",
        )
        export = kinds.add_parser("export", help="All rows to standard output, the newest first.")
        export.add_argument("--format", choices=sorted(FORMATS), default="jsonl")

    def handle(self, *args: Any, what: str, **options: Any) -> None:
        if what == "export":
            write, _ = FORMATS[options["format"]]
            for part in write(AuditEvent.objects.order_by("-number")):
                self.stdout.write(part, ending="")
            return
        self._verify(options["anchor"])

    def _verify(self, anchor: str | None) -> None:
        faults = [*audit.faults(), *(_moved(anchor) if anchor else [])]
        for fault in faults:
            self.stderr.write(fault)
        if faults:
            raise CommandError(
                f"{len(faults)} faults: the trail is not what was recorded. Keep a copy of the "
                "database, and compare it with a backup."
            )
        end = audit.end()
        self.stdout.write(f"{end.number} rows, all as they were recorded.")
        if end.number:
            self.stdout.write("Keep the next line somewhere else, for --anchor:")
            self.stdout.write(f"{end.number}:{end.seal}")


def _moved(anchor: str) -> list[str]:
    """Whether the row of the anchor still has its seal."""
    found = ANCHOR.match(anchor)
    if found is None:
        raise CommandError("Give --anchor as verify printed it: a number, a colon and the seal.")
    number, seal = int(found[1]), found[2]
    if AuditEvent.objects.filter(number=number, seal=seal).exists():
        return []
    return [f"Row {number} is not the one of the anchor: something up to there was changed."]
