"""The platform Cloud Foundry: what it can do, and what runs in the apps of a target."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel

from rollbacks.platforms.base import Observation, Platform, PlatformError, Step, TargetRef
from rollbacks.platforms.pcf import series
from rollbacks.platforms.pcf.looks import observed
from rollbacks.platforms.pcf.resize import Resize
from rollbacks.platforms.pcf.settings import TEMPORARY, Connector, Infrastructure
from rollbacks.platforms.pcf.setup import Setup
from rollbacks.platforms.pcf.swap import Swap

_PHASES: Mapping[str, list[tuple[str, list[tuple[type[Step], dict[str, Any]]]]]] = {
    "BASIC": [("Deploy", [(Setup, {}), (Resize, {})])],
    "CANARY": [
        ("Canary", [(Setup, {}), (Resize, {"instances": "25%"})]),
        ("Half", [(Resize, {"instances": "50%"})]),
        ("Primary", [(Resize, {"instances": "100%"})]),
    ],
    "BLUE_GREEN": [
        (
            "Blue/Green",
            [(Setup, {"routes": TEMPORARY}), (Resize, {"downsize_old": False}), (Swap, {})],
        )
    ],
}


class CloudFoundry(Platform):
    """An instance is the series of apps of a target; its members are app instances."""

    name: ClassVar[str] = "PCF"
    label: ClassVar[str] = "Cloud Foundry"
    steps: ClassVar[Mapping[str, Step]] = {step.kind: step for step in (Setup(), Resize(), Swap())}
    connector_model: ClassVar[type[BaseModel]] = Connector
    infrastructure_model: ClassVar[type[BaseModel]] = Infrastructure
    deploys: ClassVar[frozenset[str]] = frozenset(_PHASES)
    reverts: ClassVar[tuple[str, ...]] = (
        "Every app that had instances, by its GUID: its droplet, count, memory and disk of each "
        "type of process, with new instances",
        "Environment variables of these apps, where a revision of Cloud Foundry's keeps them",
        "Routes: exactly the destinations, ports and weights of before",
        "The autoscaling policy of these apps",
        "The app of this release and routes that it alone had, which are deleted",
    )
    leaves: ClassVar[tuple[str, ...]] = (
        "Service bindings, sidecars, features, commands and health checks: the old apps keep "
        "their own, also where somebody has changed them since",
        "Service instances and what is in them",
        "What instances kept on their disks",
        "Older apps without instances that the deployment deleted",
    )

    def default_phases(self, workflow_type: str) -> list[dict[str, Any]]:
        return [
            {"name": name, "steps": [_step(kind, settings) for kind, settings in steps]}
            for name, steps in _PHASES[workflow_type]
        ]

    def select(self, target: TargetRef, selection: Mapping[str, Any]) -> tuple[str, ...]:
        """The series, which is one."""
        if selection:
            raise PlatformError(
                "Cloud Foundry phases select nothing: the apps of a service are one series.",
                permanent=True,
            )
        return (series.key_of(target),)

    def observe(self, target: TargetRef, instances: Sequence[str] = ()) -> Observation:
        return observed(target, instances)


def _step(kind: type[Step], settings: dict[str, Any]) -> dict[str, Any]:
    step = {"name": kind.label, "kind": kind.kind}
    return {**step, "settings": settings} if settings else step
