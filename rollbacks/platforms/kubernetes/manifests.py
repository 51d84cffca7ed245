"""Manifests as people write them: read, checked, and filled in. Pure.

Placeholders may stand in any text: `${image}`, `${version}`, `${release}`, and `${NAME}` for a
variable of the workflow; `$${` is `${`. They are filled in after the YAML was read, so that no
value can become structure. `${NAME|number}`, as the whole of a value, becomes a number.
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import yaml

from rollbacks.platforms.artifacts.images import image_of
from rollbacks.platforms.base import PlatformError, StepSpec
from rollbacks.platforms.kubernetes import shapes
from rollbacks.platforms.kubernetes.kinds import (
    KINDS,
    PRIMARY_SERVICE,
    STAGE_SERVICE,
    WORKLOADS,
    Object,
    annotations,
    containers,
    key_of,
    pod_template,
)

IMAGE = "${image}"
_PLACEHOLDER = re.compile(r"\$(\$\{)|\$\{([A-Za-z_][A-Za-z0-9_]*)(\|number)?\}")
SECRET_REFERENCE = re.compile(r"\$\{((?:file:/|env:)[^{}]+)\}")
LONGEST_NAME = 253
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")


def checked(text: str) -> str:
    """The text; ValueError says what is wrong with it."""
    found = read(text)
    keys = [key_of(each) for each in found]
    if twice := {key for key in keys if keys.count(key) > 1}:
        raise ValueError(f"{', '.join(sorted(twice))} is there twice")
    if not any(each["kind"] in WORKLOADS for each in found):
        raise ValueError(f"there is no workload: {', '.join(WORKLOADS)}")
    return text


def read(text: str) -> list[Object]:
    """The objects as written, in their order, for all who ask: nobody may change them.

    ValueError names the first that is wrong.
    """
    return list(_documents(text))


@lru_cache(maxsize=32)  # a step reads its own again and again, and YAML is slow to read
def _documents(text: str) -> tuple[Object, ...]:
    try:
        documents = [each for each in yaml.safe_load_all(text) if each is not None]
    except (yaml.YAMLError, ValueError) as error:
        raise ValueError(f"is not YAML: {error}") from None
    shapes.require_values(documents)
    for document in documents:
        _require_object(document)
    return tuple(documents)


def _require_object(document: object) -> None:
    if not isinstance(document, dict) or not isinstance(document.get("metadata"), dict):
        raise ValueError("every document must be an object with kind, apiVersion and metadata")
    kind = document.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(f"{kind} cannot be applied; these can: {', '.join(KINDS)}")
    if document.get("apiVersion") != KINDS[kind].api_version:
        raise ValueError(f"a {kind} has the apiVersion {KINDS[kind].api_version}")
    metadata = document["metadata"]
    name = metadata.get("name")
    if not isinstance(name, str) or not is_name(name):
        raise ValueError(f"{kind}: {name!r} is no name; placeholders cannot stand in names")
    if "namespace" in metadata:
        raise ValueError(f"{key_of(document)}: the infrastructure definition says the namespace")
    shapes.require_shape(document)
    for text in _texts(document):
        _require_placeholders(text)
    if kind == "Secret":
        _require_no_secret(document)


def is_name(text: str) -> bool:
    """Whether an object may be called this."""
    return len(text) <= LONGEST_NAME and _NAME.fullmatch(text) is not None


def _require_placeholders(text: str) -> None:
    for match in _PLACEHOLDER.finditer(text):
        if match[3] and match[0] != text:
            raise ValueError(f"{match[0]} must be the whole value")


def _require_no_secret(document: Object) -> None:
    """A workflow is read by many, so it only says where the worker finds a secret."""
    values = (document.get("stringData") or {}).values()
    if "data" in document or not all(SECRET_REFERENCE.fullmatch(str(each)) for each in values):
        raise ValueError(
            f"{key_of(document)}: say where the worker finds each secret, never the secret itself: "
            "in stringData, ${file:/absolute/path} or ${env:NAME}"
        )


def require_one_workload(text: str) -> None:
    found = [each["kind"] for each in read(text) if each["kind"] in WORKLOADS]
    if len(found) != 1 or found[0] not in ("Deployment", "StatefulSet"):
        raise ValueError("there must be exactly one workload, a Deployment or a StatefulSet")


def require_services(text: str) -> None:
    services = [each for each in read(text) if each["kind"] == "Service"]
    for mark in (PRIMARY_SERVICE, STAGE_SERVICE):
        marked = [each for each in services if annotations(each).get(mark) == "true"]
        if len(marked) != 1:
            raise ValueError(f'there must be exactly one Service annotated {mark}: "true"')


def hard_coded(text: str) -> list[str]:
    """The workloads into which the artifact does not come, by key."""
    return [
        key_of(each)
        for each in read(text)
        if each["kind"] in WORKLOADS
        and not any(IMAGE in str(c.get("image")) for c in containers(pod_template(each)))
    ]


def rendered(text: str, spec: StepSpec) -> list[Object]:
    """The objects filled in, what others need first. PlatformError names what is not known."""
    if spec.artifact is None:
        raise PlatformError("There is no artifact to deploy.", permanent=True)
    values = {
        **spec.variables,
        "image": image_of(spec.artifact),
        "version": spec.artifact.version,
        "release": spec.release,
    }

    def value(name: str) -> str:
        if name not in values:
            raise PlatformError(
                f"${{{name}}} in the manifests is neither image, version, release nor a variable "
                "of the workflow.",
                permanent=True,
            )
        return values[name]

    found = [_filled(each, value) for each in read(text)]
    return sorted(found, key=lambda each: KINDS[each["kind"]].rank)


def _filled(part: Any, value: Callable[[str], str]) -> Any:
    if isinstance(part, dict):
        return {key: _filled(each, value) for key, each in part.items()}
    if isinstance(part, list):
        return [_filled(each, value) for each in part]
    return _filled_text(part, value) if isinstance(part, str) else part


def _filled_text(text: str, value: Callable[[str], str]) -> str | int:
    whole = _PLACEHOLDER.fullmatch(text)
    if whole and whole[3]:
        return _number(whole[2], value(whole[2]))
    return _PLACEHOLDER.sub(lambda match: "${" if match[1] else value(match[2]), text)


def _number(name: str, text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,18}", text):
        raise PlatformError(f"{name} must be a number, not {text!r}.", permanent=True)
    return int(text)


def _texts(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        for each in part.values():
            yield from _texts(each)
    elif isinstance(part, list):
        for each in part:
            yield from _texts(each)
    elif isinstance(part, str):
        yield part
