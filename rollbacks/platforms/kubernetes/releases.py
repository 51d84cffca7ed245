"""What a deployment brings, as the objects it applies: marked as ours, configuration versioned.

Pure, but for secrets, which the worker reads where the manifest says at the moment they are sent.
"""

import copy
from collections.abc import Iterator, Sequence
from typing import Any

from rollbacks.platforms import credentials
from rollbacks.platforms.base import PlatformError, StepSpec
from rollbacks.platforms.kubernetes import manifests
from rollbacks.platforms.kubernetes.kinds import (
    RELEASE,
    SERVICE,
    SKIP_VERSIONING,
    VERSIONED,
    WORKLOAD,
    WORKLOADS,
    Object,
    annotations,
    containers,
    key_of,
    labels,
    name_of,
    pod_template,
)

CONFIGURATION = "lastgood.io/configuration"  # label: the name before it was versioned


def number_of(release: str) -> str:
    """The number of the deployment: what versioned names end with."""
    return release.partition("-")[0]


def version_of(release: str) -> str:
    """The version of the artifact in a release's name; empty where it has none."""
    return release.partition("-")[2]


def objects_of(spec: StepSpec) -> list[Object]:
    """Every object of the step's manifests as it is applied, what others need first.

    PlatformError unless the workloads are exactly those that the phase is about.
    """
    found = manifests.rendered(str(spec.settings["manifests"]), spec)
    _require(found, spec.instances)
    renamed = {
        (each["kind"], name_of(each)): f"{name_of(each)}-{number_of(spec.release)}"
        for each in found
        if _is_versioned(each)
    }
    for each in found:
        metadata, new_name = each["metadata"], renamed.get((each["kind"], name_of(each)))
        # Only what a rollback brings back, too: a mark that stays would tell a wrong release.
        if new_name or each["kind"] in (SERVICE.name, *WORKLOADS):
            metadata["annotations"] = {**annotations(each), RELEASE: spec.release}
        if new_name:
            metadata["labels"] = {**labels(each), CONFIGURATION: name_of(each)}
            metadata["name"] = new_name
        if each["kind"] in WORKLOADS:
            metadata["labels"] = {**labels(each), WORKLOAD: name_of(each)}
            _mark_pods(each, spec.release)
            _refer(pod_template(each), renamed)
    return found


def workloads(objects: Sequence[Object]) -> dict[str, Object]:
    """Those that are workloads, by key."""
    return {key_of(each): each for each in objects if each["kind"] in WORKLOADS}


def versioned(objects: Sequence[Object]) -> list[list[str]]:
    """[kind, name] of each configuration object that this release alone has."""
    return [[each["kind"], name_of(each)] for each in objects if CONFIGURATION in labels(each)]


def with_secrets(manifest: Object) -> Object:
    """The object with what its Secret references stand for; never kept, never shown."""
    if manifest["kind"] != "Secret":
        return manifest
    filled = copy.deepcopy(manifest)
    for name, text in (filled.get("stringData") or {}).items():
        match = manifests.SECRET_REFERENCE.fullmatch(text)
        if match:
            filled["stringData"][name] = _secret(f"{key_of(manifest)}: {name}", match[1])
    return filled


def _secret(what: str, reference: str) -> str:
    try:
        secret = credentials.resolve(reference)
    except PlatformError:
        secret = None
    if secret is None:
        raise PlatformError(
            f"{what}: the worker finds nothing that it can read at {reference}.", permanent=True
        )
    return secret.value


def _require(objects: Sequence[Object], keys: Sequence[str]) -> None:
    found, wanted = set(workloads(objects)), set(keys)
    if extra := found - wanted:
        raise PlatformError(
            f"The manifests bring {', '.join(sorted(extra))}, which the infrastructure definition "
            "does not name among its workloads.",
            permanent=True,
        )
    if missing := wanted - found:
        raise PlatformError(
            f"The manifests do not bring {', '.join(sorted(missing))}, which the infrastructure "
            "definition names.",
            permanent=True,
        )


def _is_versioned(manifest: Object) -> bool:
    is_skipped = annotations(manifest).get(SKIP_VERSIONING) == "true"
    return manifest["kind"] in VERSIONED and not is_skipped


def _mark_pods(workload: Object, release: str) -> None:
    template = workload.setdefault("spec", {}).setdefault("template", {})
    metadata = template.setdefault("metadata", {})
    metadata["annotations"] = {**(metadata.get("annotations") or {}), RELEASE: release}


def _refer(template: Object, renamed: dict[tuple[str, str], str]) -> None:
    """Let the pods use this release's own configuration."""
    for kind, holder, field in _references(template):
        new_name = renamed.get((kind, str(holder.get(field))))
        if new_name:
            holder[field] = new_name


def _references(template: Object) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Where a pod template names a ConfigMap or a Secret: kind, object, and field of the name."""
    spec = template.get("spec") or {}
    for volume in spec.get("volumes") or ():
        yield from _volume_references(volume)
        for source in (volume.get("projected") or {}).get("sources") or ():
            yield from _named(source, "configMap", "secret")
    for container in containers(template):
        for each in container.get("env") or ():
            yield from _named(each.get("valueFrom") or {}, "configMapKeyRef", "secretKeyRef")
        for each in container.get("envFrom") or ():
            yield from _named(each, "configMapRef", "secretRef")
    for each in spec.get("imagePullSecrets") or ():
        yield "Secret", each, "name"


def _volume_references(volume: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], str]]:
    if volume.get("configMap"):
        yield "ConfigMap", volume["configMap"], "name"
    for source in volume.values():
        if isinstance(source, dict):  # the many kinds of volumes call it one of three names
            yield "Secret", source, "secretName"
            for field in ("secretRef", "nodePublishSecretRef"):
                if source.get(field):
                    yield "Secret", source[field], "name"


def _named(
    holder: dict[str, Any], config_map: str, secret: str
) -> Iterator[tuple[str, dict[str, Any], str]]:
    for kind, field in (("ConfigMap", config_map), ("Secret", secret)):
        if holder.get(field):
            yield kind, holder[field], "name"
