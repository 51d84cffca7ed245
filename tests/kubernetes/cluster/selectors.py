"""Label and field selectors, as text in a query and as in a workload's spec."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from .problems import bad

Json = dict[str, Any]
Labels = Mapping[str, str]
Test = Callable[[Labels], bool]

_SET = re.compile(r"^(\S+)\s+(in|notin)\s*\(([^)]*)\)$")
_EQUAL = re.compile(r"^([^\s!=]+)\s*(==|=|!=)\s*(\S*)$")
_PATHS: dict[str, tuple[str, ...]] = {
    "metadata.name": ("metadata", "name"),
    "metadata.namespace": ("metadata", "namespace"),
    "status.phase": ("status", "phase"),
    "spec.nodeName": ("spec", "nodeName"),
    "spec.schedulerName": ("spec", "schedulerName"),
    "spec.restartPolicy": ("spec", "restartPolicy"),
    "spec.serviceAccountName": ("spec", "serviceAccountName"),
    "status.podIP": ("status", "podIP"),
    "type": ("type",),
    "reason": ("reason",),
    "source": ("source", "component"),
    "reportingComponent": ("reportingComponent",),
}
_PATHS |= {
    f"involvedObject.{key}": ("involvedObject", key)
    for key in ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
}
_EVERYWHERE = ("metadata.name", "metadata.namespace")
_OF_KIND = {
    "Pod": ("spec.", "status."),
    "Event": ("involvedObject.", "reason", "type", "source", "reportingComponent"),
    "Namespace": ("status.phase",),
    "Secret": ("type",),
}


def by_labels(text: str) -> Callable[[Json], bool]:
    """Whether an object's labels match; raises Refused for what is no selector."""
    tests = [_label_test(part.strip()) for part in _parts(text)]
    return lambda obj: all(test(obj["metadata"].get("labels") or {}) for test in tests)


def by_fields(text: str, kind: str) -> Callable[[Json], bool]:
    """Whether an object's fields match; raises Refused for a field that cannot be asked for."""
    tests = [_field_test(part.strip(), kind) for part in text.split(",") if part.strip()]
    return lambda obj: all(test(obj) for test in tests)


def matches(selector: Json | None, labels: Labels | None) -> bool:
    """Whether a LabelSelector selects these labels; one that is absent selects nothing."""
    if selector is None:
        return False
    labels = labels or {}
    wanted = selector.get("matchLabels") or {}
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _expression(each, labels) for each in selector.get("matchExpressions") or []
    )


def _expression(expression: Json, labels: Labels) -> bool:
    key, values = expression["key"], expression.get("values") or []
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case _:
            return key not in labels


def _parts(text: str) -> list[str]:
    return [part for part in re.split(r",(?![^(]*\))", text) if part.strip()]


def _label_test(part: str) -> Test:
    if found := _SET.match(part):
        key, operator, listed = found.groups()
        values = {value.strip() for value in listed.split(",")}
        if operator == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    if found := _EQUAL.match(part):
        key, operator, value = found.groups()
        if operator == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if not re.fullmatch(r"!?\s*[A-Za-z0-9._/-]+", part):
        raise bad(f'unable to parse requirement: found "{part}", expected: identifier')
    if part.startswith("!"):
        return lambda labels: part[1:].strip() not in labels
    return lambda labels: part in labels


def _field_test(part: str, kind: str) -> Callable[[Json], bool]:
    found = _EQUAL.match(part)
    if not found:
        raise bad(f"invalid selector: '{part}'; can't understand '{part}'")
    key, operator, value = found.groups()
    if key not in _PATHS or not (key in _EVERYWHERE or key.startswith(_OF_KIND.get(kind, ("-",)))):
        raise bad(f"field label not supported: {key}")
    path = _PATHS[key]
    return lambda obj: (_at(obj, path) == value) == (operator != "!=")


def _at(obj: Json, path: tuple[str, ...]) -> str:
    value: Any = obj
    for step in path:
        value = (value or {}).get(step)
    return value or ""
