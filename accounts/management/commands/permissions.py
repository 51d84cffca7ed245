"""`manage.py permissions`: do the object permissions say what the rows say?"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts import audit, grants
from accounts.vocabulary import Verb


class Command(BaseCommand):
    help = "Compare the object permissions with the rows they are made from, or make them again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        kinds = parser.add_subparsers(dest="what", required=True)
        kinds.add_parser("check", help="Say what differs; exit status 1 if anything does.")
        kinds.add_parser("rebuild", help="Mend what differs, and say what it was.")

    def handle(self, *args: Any, what: str, **options: Any) -> None:
        if what == "rebuild":
            self._rebuild()
            return
        sentences = list(grants.difference().sentences())
        for sentence in sentences:
            self.stdout.write(sentence)
        if sentences:
            raise CommandError(f"{len(sentences)} differ. Mend them: manage.py permissions rebuild")
        self.stdout.write("Every object permission is what the rows say.")

    def _rebuild(self) -> None:
        with transaction.atomic():
            found = grants.materialise()
            sentences = list(found.sentences())
            if sentences:
                audit.record(Verb.GRANTS_REBUILT, actor=None, after=sentences)
        for sentence in sentences:
            self.stdout.write(f"mended: {sentence}")
        self.stdout.write(f"{len(sentences)} mended." if sentences else "Nothing to mend.")
