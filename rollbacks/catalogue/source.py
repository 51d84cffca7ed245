"""Reads YAML so that every value can be traced to its line; knows nothing of what it means."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

import yaml

from rollbacks.catalogue.problems import Problem


class _Loader(yaml.SafeLoader):
    """Safe, and leaves dates as they are written: a version may look like one."""

    yaml_implicit_resolvers = {
        first: [(tag, regexp) for tag, regexp in resolvers if not tag.endswith(":timestamp")]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


@dataclass(frozen=True)
class Document:
    """One YAML document of a file: its plain value, and the nodes it was made from."""

    file: str
    root: yaml.Node
    value: Any

    def problem(self, field: str, sentence: str) -> Problem:
        """The problem with the line of the deepest part of the path that is there."""
        return Problem(self.file, self._line(field), field, sentence)

    def _line(self, field: str) -> int:
        node, line = self.root, self.root.start_mark.line
        for part in field.split(".") if field else ():
            found = _child(node, part)
            if found:
                line, node = found
        return line + 1


def documents(path: Path) -> tuple[list[Document], list[Problem]]:
    """The documents of a file, or what keeps it from being read."""
    try:
        return read_text(str(path), path.read_text(encoding="utf-8"))
    except OSError as error:
        return [], [Problem(str(path), 0, "", f"cannot be read: {error.strerror}")]
    except UnicodeDecodeError:
        return [], [Problem(str(path), 0, "", "is not UTF-8 text")]


def read_text(file: str, text: str) -> tuple[list[Document], list[Problem]]:
    """The documents of a text, or what keeps it from being read; the file is only its name."""
    try:
        return _composed(file, text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        return [], [Problem(file, line, "", f"is not YAML: {error.problem}")]
    except (yaml.YAMLError, ValueError, RecursionError):
        return [], [Problem(file, 0, "", "is not YAML that can be read safely")]


def _composed(file: str, text: str) -> tuple[list[Document], list[Problem]]:
    loader = _Loader(text)
    found: list[Document] = []
    problems: list[Problem] = []
    try:
        while loader.check_node():
            root = loader.get_node()
            if root is None:
                continue
            wrong = [
                Problem(file, line + 1, field, what) for field, line, what in _faults(root, (), {})
            ]
            problems += wrong
            if not wrong:
                found.append(Document(file, root, loader.construct_document(root)))
    finally:
        loader.dispose()
    return found, problems


def _faults(
    node: yaml.Node, path: tuple[str, ...], seen: dict[int, bool]
) -> Iterator[tuple[str, int, str]]:
    """Keys that stand twice, and nodes that contain themselves; shared nodes are visited once."""
    if seen.get(id(node)):
        yield ".".join(path), node.start_mark.line, "contains itself: write it out"
    if id(node) in seen:
        return
    seen[id(node)] = True
    keys: dict[Hashable, int] = {}
    for key, line, child in _children(node):
        if key in keys and isinstance(node, yaml.MappingNode) and key != "<<":
            first = keys[key] + 1
            yield (
                ".".join((*path, key)),
                line,
                f"stands twice in this mapping, first in line {first}",
            )
        keys.setdefault(key, line)
        yield from _faults(child, (*path, key), seen)
    seen[id(node)] = False


def _children(node: yaml.Node) -> Iterator[tuple[str, int, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield str(key.value), key.start_mark.line, value
    if _is_sequence(node):
        for index, item in enumerate(node.value):
            yield str(index), item.start_mark.line, item


def _is_sequence(node: yaml.Node) -> TypeGuard[yaml.SequenceNode]:
    return isinstance(node, yaml.SequenceNode)


def _child(node: yaml.Node, name: str) -> tuple[int, yaml.Node] | None:
    """The line and node under that name; with merged keys, the one that counts is the last."""
    found = None
    for key, line, child in _children(node):
        if key == name:
            found = line, child
    return found
