"""What a step would change, in words, out of what was captured and written alone. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rollbacks.platforms.artifacts.images import image_of
from rollbacks.platforms.base import Change, PlatformError, StepSpec
from rollbacks.platforms.kubernetes import manifests
from rollbacks.platforms.kubernetes.kinds import Object, containers, key_of, pod_template
from rollbacks.platforms.kubernetes.states import wanted_pods

NOW = "what is there now"


def of_rollout(spec: StepSpec, captured: Mapping[str, Any] | None) -> Sequence[Change]:
    """Images and counts of each workload; what was not there would be deleted."""
    brought = _brought(spec)
    if captured is None:
        image = image_of(spec.artifact) if spec.artifact else ""
        return [Change(key, "image", NOW, image) for key in spec.instances]
    changes: list[Change] = []
    for key in spec.instances:
        was, manifest = captured["objects"][key], brought.get(key, {})
        if was is None:
            changes.append(Change(key, key, NOW, ""))
            continue
        changes += _images(key, manifest, was)
        if "replicas" in was["spec"] and key not in captured["scaled_by"]:
            changes += _count(key, manifest, was)
    changes += [
        Change("", f"{kind}/{name}", "of this release", "") for kind, name in captured["versioned"]
    ]
    return changes


def _brought(spec: StepSpec) -> dict[str, Object]:
    """What was written, by key; nothing where it cannot be filled in as it is today."""
    try:
        written = manifests.rendered(str(spec.settings["manifests"]), spec)
    except PlatformError:
        return {}
    return {key_of(each): each for each in written}


def _images(key: str, manifest: Object, was: Mapping[str, Any]) -> Iterator[Change]:
    """Of each container whose image the deployment has changed, or may have."""
    written = {each["name"]: each.get("image") for each in containers(pod_template(manifest))}
    for each in containers(pod_template(dict(was))):
        before, after = str(written.get(each["name"]) or NOW), str(each.get("image"))
        if before != after:
            yield Change(key, f"image of {each['name']}", before, after)


def _count(key: str, manifest: Object, was: Mapping[str, Any]) -> Iterator[Change]:
    spec = manifest.get("spec") or {}
    before, after = str(spec.get("replicas") or NOW), str(wanted_pods(was["spec"]))
    if before != after:
        yield Change(key, "pods", before, after)
