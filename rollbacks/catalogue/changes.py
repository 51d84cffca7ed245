"""What applying a catalogue changes, as data and as lines for a terminal."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml


class _Dumper(yaml.SafeDumper):
    """Writes a text of several lines as a block, as people do."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def as_yaml(value: Any) -> str:
    """The value as YAML in the order it was written; empty for None."""
    if value is None:
        return ""
    return str(yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=90))


@dataclass(frozen=True)
class FieldChange:
    """One field; `old` is None where the thing is new."""

    name: str
    old: Any
    new: Any

    def lines(self) -> Iterator[str]:
        """`name: old → new`, or a unified diff of YAML where the value has a structure."""
        if isinstance(self.new, (dict, list)) or isinstance(self.old, (dict, list)):
            yield f"{self.name}:"
            yield from self._diff()
        elif self.old is None:
            yield f"{self.name}: {_shown(self.new)}"
        else:
            yield f"{self.name}: {_shown(self.old)} → {_shown(self.new)}"

    def _diff(self) -> Iterator[str]:
        old, new = as_yaml(self.old).splitlines(), as_yaml(self.new).splitlines()
        if self.old is None:
            yield from (f"  {line}" for line in new)
            return
        diff = list(difflib.unified_diff(old, new, lineterm=""))
        yield from (f"  {line}" for line in diff[2:])


@dataclass(frozen=True)
class Change:
    """One thing that is created, or changed in the fields named."""

    noun: str
    name: str
    is_new: bool
    fields: tuple[FieldChange, ...]

    def __str__(self) -> str:
        mark, verb = ("+", "created") if self.is_new else ("~", "changed")
        lines = [f"{mark} {self.noun} {self.name} ({verb})"]
        lines += [f"    {line}" for each in self.fields for line in each.lines()]
        return "\n".join(lines)


def _shown(value: Any) -> str:
    return "(none)" if value is None or value == "" else str(value)
