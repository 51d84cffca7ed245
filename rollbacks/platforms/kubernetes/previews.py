"""What a step would change, in words, out of what was captured alone. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from rollbacks.platforms.base import Change, StepSpec
from rollbacks.platforms.kubernetes import manifests
from rollbacks.platforms.kubernetes.kinds import containers, pod_template
from rollbacks.platforms.kubernetes.states import wanted_pods


def of_rollout(spec: StepSpec, captured: Mapping[str, Any] | None) -> Sequence[Change]:
    """Images and counts of each workload; what was not there would be deleted."""
    brought = manifests.image_of(spec.artifact) if spec.artifact else ""
    if captured is None:
        return [Change(key, "image", "what is there now", brought) for key in spec.instances]
    changes: list[Change] = []
    for key in spec.instances:
        was = captured["objects"][key]
        if was is None:
            changes.append(Change(key, key, brought, ""))
            continue
        changes += [
            Change(key, f"image of {each['name']}", "what is there now", str(each.get("image")))
            for each in containers(pod_template(was))
        ]
        if "replicas" in was["spec"] and key not in captured["scaled_by"]:
            changes.append(Change(key, "pods", "", str(wanted_pods(was["spec"]))))
    changes += [
        Change("", f"{kind}/{name}", "of this release", "") for kind, name in captured["versioned"]
    ]
    return changes
