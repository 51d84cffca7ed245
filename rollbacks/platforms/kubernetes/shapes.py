"""The shape of manifests, as far as Lastgood looks into them; the cluster checks the rest. Pure.

Whatever gets past here can be sent as JSON, and be read without asking of what type each part is.
"""

import math
from collections.abc import Iterable
from typing import Any

from rollbacks.platforms.kubernetes.kinds import WORKLOADS, Object

MOST_VALUES = 50_000  # aliases in YAML can make a few lines endless
_OF_VOLUMES = ("configMap", "secret", "projected", "secretRef", "nodePublishSecretRef")
_OF_ENV = ("valueFrom", "configMapKeyRef", "secretKeyRef", "configMapRef", "secretRef")


def require_values(document: object) -> None:
    """ValueError unless it can be written as JSON and means the same there."""
    left, seen = [document], 0
    while left:
        part = left.pop()
        seen += 1
        if seen > MOST_VALUES:
            raise ValueError("is too large, or refers to itself")
        if isinstance(part, dict):
            if wrong := [key for key in part if not isinstance(key, str)]:
                raise ValueError(f"the name {wrong[0]!r} must be text: put quotes around it")
            left += part.values()
        elif isinstance(part, list):
            left += part
        elif not _is_plain(part):
            raise ValueError(f"the value {part} is neither text nor number: put quotes around it")


def _is_plain(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, str | int | bool)


def require_shape(document: Object) -> None:
    """ValueError names the first part that is of another type than it must be."""
    metadata = document["metadata"]
    for part in ("labels", "annotations"):
        _require_texts(metadata, part)
    if document["kind"] == "Secret":
        _mapping(document, "stringData")
    if document["kind"] == "Service":
        _require_texts(_required(document, "spec"), "selector")
    if document["kind"] in WORKLOADS:
        _require_workload(_required(document, "spec"))


def _require_workload(spec: Object) -> None:
    replicas = spec.get("replicas")
    if not isinstance(replicas, int | None) and not _is_filled_in(replicas):
        raise ValueError("replicas must be a number")
    _require_texts(_required(spec, "selector"), "matchLabels")
    template = _required(spec, "template")
    for part in ("labels", "annotations"):
        _require_texts(_required(template, "metadata"), part)
    _require_pod(_required(template, "spec"))


def _is_filled_in(value: object) -> bool:
    """Whether it is text that a placeholder makes a number of."""
    return isinstance(value, str) and value.endswith("|number}")


def _require_pod(pod: Object) -> None:
    _mappings(pod, "imagePullSecrets")
    for part in ("initContainers", "containers"):
        for container in _mappings(pod, part):
            _require_container(container)
    for volume in _mappings(pod, "volumes"):
        for source in volume.values():
            if isinstance(source, dict):
                _require_each(source, _OF_VOLUMES)
        _require_each(volume, _OF_VOLUMES)
        for each in _mappings(_mapping(volume, "projected"), "sources"):
            _require_each(each, _OF_VOLUMES)


def _require_container(container: Object) -> None:
    if not isinstance(container.get("name"), str):
        raise ValueError("each container needs a name, which is text")
    for each in _mappings(container, "envFrom"):
        _require_each(each, _OF_ENV)
    for each in _mappings(container, "env"):
        _require_each(_mapping(each, "valueFrom"), _OF_ENV)


def _require_each(holder: Object, names: Iterable[str]) -> None:
    for name in names:
        _mapping(holder, name)


def _required(holder: Object, name: str) -> Object:
    if holder.get(name) is None:
        raise ValueError(f"{name} is missing, or empty")
    return _mapping(holder, name)


def _mapping(holder: Object, name: str) -> Object:
    found: Any = holder.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise ValueError(f"{name} must be an object with names and values")
    return found


def _mappings(holder: Object, name: str) -> list[Object]:
    found = holder.get(name)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise ValueError(f"{name} must be a list of objects")
    return found


def _require_texts(holder: Object, name: str) -> None:
    for key, value in _mapping(holder, name).items():
        if not isinstance(value, str):
            raise ValueError(f"{name}: {key} must be text: put quotes around {value}")
