"""From files to a flat list of declared things, each with its place and the thing it stands in."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from pydantic import ValidationError

from rollbacks.catalogue.declarations import ApplicationEntry, CatalogueDocument, Entry
from rollbacks.catalogue.problems import Problem, located
from rollbacks.catalogue.source import Document, documents

Kind = TypeVar("Kind", bound=Entry)


@dataclass(frozen=True)
class Declared(Generic[Kind]):
    """One entry, its full name such as `Shop / Production / Web hosts`, and its place."""

    entry: Kind
    label: str
    document: Document
    place: str
    parent: "Declared[Entry] | None"

    def problem(self, field: str, sentence: str) -> Problem:
        """What is wrong with one of its fields; the entry itself where the field is empty."""
        path = ".".join(part for part in (self.place, field) if part)
        return self.document.problem(path, sentence)


@dataclass
class Catalogue:
    """What the files declare, and what is wrong with its shape.

    `attempted` has every entry by kind and full name, the refused ones included: what refers to a
    refused entry is not reported as well.
    """

    declared: list[Declared[Entry]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    attempted: dict[tuple[type[Entry], str], Problem] = field(default_factory=dict)

    def of(self, kind: type[Kind]) -> Iterator[Declared[Kind]]:
        """The things of one kind, in the order of the files."""
        for each in self.declared:
            if isinstance(each.entry, kind):
                yield cast("Declared[Kind]", each)


def read(files: Sequence[Path]) -> Catalogue:
    """What the files declare together."""
    catalogue = Catalogue()
    for path in files:
        found, problems = documents(path)
        catalogue.problems += problems
        for document in found:
            _read_document(catalogue, document)
    return catalogue


def _read_document(catalogue: Catalogue, document: Document) -> None:
    _checked(catalogue, document, CatalogueDocument, document.value, "")
    for place, kind, value in _entries(CatalogueDocument, document.value, ""):
        _read_entry(catalogue, document, kind, value, place, "", None)


def _read_entry(
    catalogue: Catalogue,
    document: Document,
    kind: type[Entry],
    value: Any,
    place: str,
    above: str,
    parent: Declared[Entry] | None,
) -> None:
    entry = _checked(catalogue, document, kind, value, place)
    name = entry.label if entry else _written_name(value)
    label = above + name
    is_new = not name or _attempt(catalogue, document, kind, label, place)
    declared = Declared(entry, label, document, place, parent) if entry and is_new else None
    if declared and (parent or not above):
        catalogue.declared.append(declared)
    for child_place, child_kind, child in _entries(kind, value, place):
        _read_entry(catalogue, document, child_kind, child, child_place, f"{label} / ", declared)


def _entries(kind: type[Entry], value: Any, place: str) -> Iterator[tuple[str, type[Entry], Any]]:
    for name, child in kind.children.items():
        items = value.get(name) if isinstance(value, dict) else None
        for index, item in enumerate(items if isinstance(items, list) else ()):
            yield f"{place}.{name}.{index}".lstrip("."), child, item


def _checked(
    catalogue: Catalogue, document: Document, kind: type[Entry], value: Any, place: str
) -> Entry | None:
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        for path, what in located(error.errors(include_url=False, include_input=False)):
            where = ".".join(part for part in (place, path) if part)
            catalogue.problems.append(document.problem(where, what))
        return None


def _attempt(
    catalogue: Catalogue, document: Document, kind: type[Entry], label: str, place: str
) -> bool:
    """Remember the entry; False, and a problem, if the files declare it twice."""
    here = document.problem(place, "")
    first = catalogue.attempted.setdefault((kind, label), here)
    if first is here or kind is ApplicationEntry:
        return True
    catalogue.problems.append(
        document.problem(place, f"{label} is declared twice, first at {first.file}:{first.line}")
    )
    return False


def _written_name(value: Any) -> str:
    if not isinstance(value, dict):
        return ""
    return str(value.get("name") or value.get("username") or "")
