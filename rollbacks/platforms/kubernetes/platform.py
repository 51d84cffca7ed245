"""The platform Kubernetes: what it can do, and what runs in a namespace."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel

from rollbacks.platforms.base import Observation, Platform, PlatformError, Step, TargetRef
from rollbacks.platforms.kubernetes.canary import Canary, CanaryDelete
from rollbacks.platforms.kubernetes.instances import workloads_of
from rollbacks.platforms.kubernetes.looks import observed
from rollbacks.platforms.kubernetes.rollout import Rollout
from rollbacks.platforms.kubernetes.settings import Connector, Infrastructure
from rollbacks.platforms.kubernetes.stage import Stage
from rollbacks.platforms.kubernetes.swap import Swap

_PHASES: Mapping[str, list[tuple[str, list[type[Step]]]]] = {
    "BASIC": [("Rolling", [Rollout])],
    "ROLLING": [("Rolling", [Rollout])],
    "CANARY": [("Canary", [Canary, CanaryDelete]), ("Primary", [Rollout])],
    "BLUE_GREEN": [("Blue/Green", [Stage, Swap])],
}


class Kubernetes(Platform):
    """An instance is a workload of a namespace; its members are its pods."""

    name: ClassVar[str] = "KUBERNETES"
    label: ClassVar[str] = "Kubernetes"
    steps: ClassVar[Mapping[str, Step]] = {
        step.kind: step for step in (Rollout(), Canary(), CanaryDelete(), Stage(), Swap())
    }
    connector_model: ClassVar[type[BaseModel]] = Connector
    infrastructure_model: ClassVar[type[BaseModel]] = Infrastructure
    deploys: ClassVar[frozenset[str]] = frozenset(_PHASES)
    reverts: ClassVar[tuple[str, ...]] = (
        "Each workload's whole spec: pod template, number of pods, strategy",
        "The services that the manifests bring, their selectors included",
        "Versioned ConfigMaps and Secrets: the earlier ones are used again, this release's deleted",
        "Canaries, which are deleted",
    )
    leaves: ClassVar[tuple[str, ...]] = (
        "ConfigMaps and Secrets that skip versioning: their content stays as deployed",
        "Ingresses, roles, claims and everything else that the manifests bring",
        "The number of pods where an autoscaler says it",
        "Data in volumes, databases and other services",
    )

    def default_phases(self, workflow_type: str) -> list[dict[str, Any]]:
        return [
            {"name": name, "steps": [{"name": step.label, "kind": step.kind} for step in steps]}
            for name, steps in _PHASES[workflow_type]
        ]

    def select(self, target: TargetRef, selection: Mapping[str, Any]) -> tuple[str, ...]:
        """All workloads; a phase's steps say what of them they touch."""
        if selection:
            raise PlatformError(
                f"Kubernetes phases cannot select by {', '.join(map(str, selection))}; every phase "
                "is about all workloads of the infrastructure definition.",
                permanent=True,
            )
        return tuple(workload.name for workload in workloads_of(target))

    def observe(self, target: TargetRef, instances: Sequence[str] = ()) -> Observation:
        return observed(target, instances)
