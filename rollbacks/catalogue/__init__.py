"""The catalogue as files: what is declared in YAML becomes applications, workflows and rights.

All files are one unit: either everything in them is right and written, or nothing is.
"""

from collections.abc import Sequence
from pathlib import Path

from django.db import transaction

from accounts.models import User
from rollbacks.catalogue.changes import Change
from rollbacks.catalogue.freezes import write_freezes
from rollbacks.catalogue.ledger import Ledger
from rollbacks.catalogue.people import write_people
from rollbacks.catalogue.problems import CatalogueError, Problem
from rollbacks.catalogue.reading import read
from rollbacks.catalogue.revisions import save_definition
from rollbacks.catalogue.writing import write_catalogue

__all__ = ["CatalogueError", "Change", "Problem", "apply", "save_definition"]


def apply(
    files: Sequence[Path], *, dry_run: bool = False, actor: User | None = None
) -> list[Change]:
    """Make the catalogue what the files declare, and return what that changed.

    With `dry_run` everything is taken back at the end. `actor` is named as the author of new
    workflow revisions. Raises CatalogueError with every problem, and then nothing was written.
    """
    catalogue = read(files)
    ledger = Ledger(catalogue, actor)
    with transaction.atomic():
        write_catalogue(ledger)
        write_people(ledger)
        write_freezes(ledger)
        problems = catalogue.problems + ledger.problems
        if problems:
            raise CatalogueError(problems)
        if dry_run:
            transaction.set_rollback(True)
    return ledger.changes
