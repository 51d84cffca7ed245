"""`manage.py apply`: declares the catalogue from YAML files; docs/catalogue.md describes them."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from rollbacks.catalogue import CatalogueError, Change, apply


class Command(BaseCommand):
    help = "Make the catalogue what the YAML files declare; docs/catalogue.md describes them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE.yaml")
        parser.add_argument(
            "--dry-run", action="store_true", help="Show what would change and write nothing."
        )

    def handle(self, *args: Any, files: list[Path], dry_run: bool, **options: Any) -> None:
        try:
            changes = apply(files, dry_run=dry_run)
        except CatalogueError as error:
            raise CommandError(
                f"{error}\nNothing was written. Correct this and apply again."
            ) from None
        for change in changes:
            self.stdout.write(str(change))
        self.stdout.write(_summary(changes, dry_run=dry_run))


def _summary(changes: list[Change], *, dry_run: bool) -> str:
    if not changes:
        return "Nothing to change."
    created = sum(change.is_new for change in changes)
    told = f"{created} created, {len(changes) - created} changed."
    return f"{told} Dry run: nothing was written." if dry_run else told
