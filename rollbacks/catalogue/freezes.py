"""Writes the declared deployment freezes: when nothing may be started, and where."""

from dashboard.models import DeploymentFreeze, Environment
from rollbacks.catalogue.changes import FieldChange
from rollbacks.catalogue.declarations import FreezeEntry
from rollbacks.catalogue.ledger import Ledger, environment_named
from rollbacks.catalogue.reading import Declared


def write_freezes(ledger: Ledger) -> None:
    """Write all of them; what is wrong is among the ledger's problems afterwards."""
    for freeze in ledger.catalogue.of(FreezeEntry):
        _freeze(ledger, freeze)


def _freeze(ledger: Ledger, declared: Declared[FreezeEntry]) -> None:
    entry = declared.entry
    environments = _environments(ledger, declared)
    if environments is None:
        return
    values = {
        "starts_at": entry.starts_at,
        "ends_at": entry.ends_at,
        "is_on": entry.is_on,
        "environment_type": entry.environment_type or "",
    }
    existing = DeploymentFreeze.objects.filter(name=entry.name).first()
    old = sorted(str(each) for each in existing.environments.all()) if existing else []
    new = sorted(str(each) for each in environments)
    edits = [FieldChange("environments", old, new)] if old != new else []
    key = {"name": entry.name}
    freeze = ledger.put(declared, DeploymentFreeze.objects.all(), key, values, edits)
    freeze.environments.set(environments)


def _environments(ledger: Ledger, declared: Declared[FreezeEntry]) -> list[Environment] | None:
    found = []
    covered = declared.entry.environment_type
    for index, written in enumerate(declared.entry.environments):
        field = f"environments.{index}"
        environment = environment_named(ledger, declared, field, written)
        if environment and covered and environment.environment_type != covered:
            what = f"is not {covered.value}, so the freeze would not cover it: correct one of them"
            ledger.refuse(declared, field, what)
        elif environment:
            found.append(environment)
    return found if len(found) == len(declared.entry.environments) else None
