"""metadata.managedFields: who wrote which field, by update or by apply."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from .fields import Difference, Path, decoded, encoded, fields_of, ownable
from .schema import Field

Json = dict[str, Any]
APPLY, UPDATE = "Apply", "Update"


@dataclass(frozen=True, order=True)
class Manager:
    """One entry of managedFields; an applier is the same one in every version of the API."""

    operation: str
    name: str
    api_version: str = field(compare=False)
    subresource: str = ""

    def __str__(self) -> str:
        """As conflicts name it."""
        name = f'"{self.name}"'
        if self.subresource:
            name += f' with subresource "{self.subresource}"'
        return name if self.operation == APPLY else f"{name} using {self.api_version}"


@dataclass
class Ownership:
    """All entries of one object."""

    fields: dict[Manager, set[Path]]
    times: dict[Manager, str]

    @classmethod
    def of(cls, obj: Json) -> "Ownership":
        entries = {_manager(each): each for each in obj["metadata"].get("managedFields") or []}
        return cls(
            {manager: decoded(each.get("fieldsV1") or {}) for manager, each in entries.items()},
            {manager: each.get("time", "") for manager, each in entries.items()},
        )

    def take(self, manager: Manager, change: Difference, now: str) -> None:
        """An update: what it wrote is its own alone, what it removed is nobody's."""
        if not (change.written or change.removed):
            return
        gone = change.written | change.removed
        self.fields = {each: paths - gone for each, paths in self.fields.items()}
        if change.written:
            self.fields[manager] = self.fields.get(manager, set()) | change.written
        self.times[manager] = now

    def conflicts(self, manager: Manager, change: Difference) -> list[tuple[Manager, Path]]:
        """Fields of others that this manager would change."""
        return [
            (other, path)
            for other in sorted(self.fields)
            if other != manager
            for path in sorted(self.fields[other] & change.written)
        ]

    def give(self, manager: Manager, paths: set[Path], change: Difference, now: str) -> None:
        """An apply: these are its fields, and what it changed is no longer anybody else's."""
        before = self.fields.get(manager)
        gone = change.written | change.removed
        for other in self.fields:
            self.fields[other] = self.fields[other] - (gone if other != manager else set())
        self.fields[manager] = paths
        if before != paths or gone:
            self.times[manager] = now

    def hold(self, manager: Manager, obj: Json, kind: Field, now: str) -> None:
        """What is there already, and nobody's, as this manager's."""
        self.fields[manager] = fields_of(ownable(obj), kind)
        self.times[manager] = now

    def held(self, managers: Iterable[Manager] | None = None) -> set[Path]:
        """What any of these (None: anybody) owns."""
        chosen = self.fields if managers is None else managers
        return set[Path]().union(*(self.fields.get(each, set()) for each in chosen))

    def entries(self) -> list[Json]:
        """In the API's order: appliers first, then by time and name."""
        listed = [each for each in self.fields if self.fields[each]]
        listed.sort(key=lambda each: (each.operation, self.times[each], each.name))
        return [self._entry(each) for each in listed]

    def _entry(self, manager: Manager) -> Json:
        return {
            "manager": manager.name,
            "operation": manager.operation,
            "apiVersion": manager.api_version,
            **({"time": self.times[manager]} if self.times[manager] else {}),
            "fieldsType": "FieldsV1",
            "fieldsV1": encoded(self.fields[manager]),
            **({"subresource": manager.subresource} if manager.subresource else {}),
        }


def _manager(entry: Json) -> Manager:
    return Manager(
        entry.get("operation", UPDATE),
        entry.get("manager", "unknown"),
        entry.get("apiVersion", ""),
        entry.get("subresource", ""),
    )
