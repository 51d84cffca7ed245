"""What is shared by everything that writes a catalogue: what changed, and what is wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.db.models import Model, QuerySet

from accounts.models import User
from dashboard.models import Environment
from rollbacks.catalogue.changes import Change, FieldChange
from rollbacks.catalogue.declarations import Entry, EnvironmentEntry
from rollbacks.catalogue.problems import Problem, sentence
from rollbacks.catalogue.reading import Catalogue, Declared, Kind
from rollbacks.definition import DefinitionError

Thing = TypeVar("Thing", bound=Model)


@dataclass
class Ledger:
    """Grows while a catalogue is written; with any problem all of it is taken back."""

    catalogue: Catalogue
    actor: User | None
    changes: list[Change] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, declared: Declared[Kind], field: str, what: str) -> None:
        """Note what is wrong with a field of a declared thing."""
        self.problems.append(declared.problem(field, what))

    def refuse_all(self, declared: Declared[Kind], field: str, error: DefinitionError) -> None:
        """Note everything that is wrong with a document that stands in a field."""
        for place, what in error.problems:
            path = ".".join(part for part in (field, place) if part)
            self.refuse(declared, path, sentence(what))

    def find(
        self,
        declared: Declared[Kind],
        field: str,
        things: QuerySet[Thing],
        refers_to: tuple[type[Entry], str],
    ) -> Thing | None:
        """What a field refers to by name; noted as a problem where there is no such thing."""
        thing = things.first()
        kind, label = refers_to
        if thing is None and refers_to not in self.catalogue.attempted:
            self.refuse(
                declared, field, f"there is no {kind.noun} {label}: declare it or correct the name"
            )
        return thing

    def put(
        self,
        declared: Declared[Kind],
        things: QuerySet[Thing],
        key: Mapping[str, Any],
        values: Mapping[str, Any],
        also: Sequence[FieldChange] = (),
        **unseen: Any,
    ) -> Thing:
        """Create the thing, or change what differs.

        `also`: changes that the caller makes to it. `unseen`: fields of a new thing to set
        without a word about them.
        """
        existing = things.filter(**key).first()
        thing = existing or things.model(**key, **unseen)
        fields = (*differences(thing, values), *also)
        if existing and not fields:
            return existing
        for name, value in values.items():
            setattr(thing, name, value)
        thing.save()
        self.changes.append(Change(declared.entry.noun, declared.label, existing is None, fields))
        return thing


def differences(thing: Model, values: Mapping[str, Any]) -> tuple[FieldChange, ...]:
    """The fields in which the thing differs from the values; of a new one, those with a value."""
    if thing.pk is None:
        return tuple(
            FieldChange(name, None, _plain(value)) for name, value in values.items() if value
        )
    return tuple(
        FieldChange(name, _plain(getattr(thing, name)), _plain(value))
        for name, value in values.items()
        if getattr(thing, name) != value
    )


def _plain(value: Any) -> Any:
    return value if isinstance(value, (dict, list)) else str("" if value is None else value)


def environment_named(
    ledger: Ledger, declared: Declared[Kind], field: str, written: str
) -> Environment | None:
    """The environment written as `Application / Environment`; noted as a problem if not there."""
    application, slash, name = (part.strip() for part in written.partition("/"))
    if not slash:
        ledger.refuse(declared, field, f"write {written} as Application / Environment")
        return None
    found = Environment.objects.filter(application__name=application, name=name)
    label = f"{application} / {name}"
    return ledger.find(declared, field, found, (EnvironmentEntry, label))
