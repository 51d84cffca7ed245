"""What the API's types consist of: schema.txt, read once.

Everything that must know a field asks here: unknown fields, both kinds of patches that merge lists
by keys, and who owns what.
"""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

SCALARS = {"str", "int", "bool", "num", "intstr", "quantity", "any"}


@dataclass(frozen=True, slots=True)
class Field:
    """A field's type, and how what it holds is told apart and merged."""

    type: str
    shape: str = "one"  # or "list" or "map"
    atomic: bool = False
    keys: tuple[str, ...] = ()
    is_set: bool = False
    merge: str | None = None
    retains_keys: bool = False

    @property
    def element(self) -> "Field":
        """What one item of the list or map is."""
        return one(self.type)

    @property
    def is_struct(self) -> bool:
        return self.shape == "one" and self.type not in SCALARS

    @property
    def is_leaf(self) -> bool:
        """It is owned as a whole."""
        if self.shape == "list":
            return not self.keys and not self.is_set
        return self.atomic or (self.shape == "one" and self.type in SCALARS)

    def child(self, name: str) -> "Field":
        """A field of a struct or an entry of a map; what nobody knows is a leaf."""
        if self.shape == "map":
            return self.element
        return _types().get(self.type, {}).get(name, ANYTHING)

    def has(self, name: str) -> bool:
        return self.shape == "map" or name in _types()[self.type]

    def defaults(self) -> dict[str, Any]:
        """Keys of list items that may be left out."""
        return {"protocol": "TCP"} if "protocol" in self.keys else {}


ANYTHING = Field("any")


@cache
def one(type_name: str) -> Field:
    """A value of this type."""
    return Field(type_name, atomic=type_name in _atomic_types())


@cache
def _blocks() -> list[list[str]]:
    text = (Path(__file__).parent / "schema.txt").read_text()
    blocks = (block.splitlines() for block in text.split("\n\n"))
    return [block for block in blocks if not block[0].startswith("#")]


@cache
def _atomic_types() -> frozenset[str]:
    heads = (block[0].split() for block in _blocks())
    return frozenset(head[0] for head in heads if "atomic" in head)


@cache
def _types() -> dict[str, dict[str, Field]]:
    return {
        block[0].split()[0]: {line.split()[0]: _field(line.split()[1:]) for line in block[1:]}
        for block in _blocks()
    }


def _field(words: list[str]) -> Field:
    spelled, *notes = words
    shape = {"[": "list", "{": "map"}.get(spelled[0], "one")
    name = spelled.strip("[]{}")
    field = Field(name, shape, atomic=shape == "one" and name in _atomic_types())
    for note in notes:
        key, _, value = note.partition("=")
        field = _noted(field, key, value)
    return field


def _noted(field: Field, key: str, value: str) -> Field:
    match key:
        case "atomic":
            return replace(field, atomic=True)
        case "set":
            return replace(field, is_set=True)
        case "keys":
            return replace(field, keys=tuple(value.split(",")))
        case "merge":
            return replace(field, merge=value)
        case _:
            return replace(field, retains_keys=True)
