"""What the steps of blue/green share: two colors of a workload, two services. Pure."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from rollbacks.platforms.base import StepSpec
from rollbacks.platforms.kubernetes import releases
from rollbacks.platforms.kubernetes.instances import Workload
from rollbacks.platforms.kubernetes.kinds import (
    COLOR,
    PRIMARY_SERVICE,
    SERVICE,
    STAGE_SERVICE,
    WORKLOAD,
    WORKLOADS,
    Object,
    annotations,
    labels,
    name_of,
    pod_template,
)
from rollbacks.platforms.kubernetes.manifests import read

BLUE, GREEN = "blue", "green"


def brought(spec: StepSpec) -> list[Object]:
    """The release's objects, the services marked as the workload's."""
    objects = releases.objects_of(spec)
    base = name_of(next(each for each in objects if each["kind"] in WORKLOADS))
    for each in objects:
        if each["kind"] == SERVICE.name:
            each["metadata"]["labels"] = {**labels(each), WORKLOAD: base}
    return objects


def services(spec: StepSpec) -> dict[str, str]:
    """The names of the primary and the stage service."""
    objects = read(str(spec.settings["manifests"]))
    return {
        "primary": service_marked(objects, PRIMARY_SERVICE),
        "stage": service_marked(objects, STAGE_SERVICE),
    }


def service_marked(objects: Sequence[Object], mark: str) -> str:
    return next(name_of(each) for each in objects if annotations(each).get(mark) == "true")


def color_of(service: Mapping[str, Any] | None) -> str | None:
    """The color that a service selects, or None."""
    selector = ((service or {}).get("spec") or {}).get("selector") or {}
    color = selector.get(COLOR)
    return None if color is None else str(color)


def was_there(objects: Sequence[Object], captured: Mapping[str, Any]) -> bool:
    """Whether the primary service was there before the deployment."""
    return captured["services"][service_marked(objects, PRIMARY_SERVICE)] is not None


def own_name(workload: Workload, color: str | None) -> str:
    return f"{workload.own_name}-{color}" if color else workload.own_name


def colored(manifest: Object, color: str) -> Object:
    """The workload of one color."""
    colored = copy.deepcopy(manifest)
    base = name_of(manifest)
    colored["metadata"]["name"] = f"{base}-{color}"
    colored["metadata"]["labels"] = {**(colored["metadata"].get("labels") or {}), WORKLOAD: base}
    spec, metadata = colored["spec"], pod_template(colored)["metadata"]
    selector = spec.setdefault("selector", {})
    selector["matchLabels"] = {**(selector.get("matchLabels") or {}), COLOR: color}
    metadata["labels"] = {**(metadata.get("labels") or {}), COLOR: color}
    return colored


def selecting(service: Object, color: str | None) -> Object:
    if color is None:
        return service
    selector = {**((service.get("spec") or {}).get("selector") or {}), COLOR: color}
    return {**service, "spec": {**service["spec"], "selector": selector}}
