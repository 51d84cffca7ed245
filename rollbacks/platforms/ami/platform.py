"""The platform AMI: what it can do, and what runs in the groups of a target."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel

from rollbacks.platforms.ami import series
from rollbacks.platforms.ami.looks import observed
from rollbacks.platforms.ami.refresh import Refresh
from rollbacks.platforms.ami.settings import Infrastructure
from rollbacks.platforms.ami.setup import Setup
from rollbacks.platforms.ami.shift import Shift
from rollbacks.platforms.ami.stage import Stage
from rollbacks.platforms.ami.switch import Switch
from rollbacks.platforms.ami.upgrade import Upgrade
from rollbacks.platforms.aws.settings import Connector
from rollbacks.platforms.base import Observation, Platform, PlatformError, Step, TargetRef

_PHASES: Mapping[str, list[tuple[str, list[tuple[type[Step], dict[str, Any]]]]]] = {
    "BASIC": [("Deploy", [(Setup, {}), (Upgrade, {})])],
    "CANARY": [
        ("Canary", [(Setup, {}), (Upgrade, {"instances": "25%"})]),
        ("Primary", [(Upgrade, {"instances": "100%"})]),
    ],
    "BLUE_GREEN": [("Blue/Green", [(Stage, {}), (Switch, {})])],
}


class Ami(Platform):
    """An instance is the series of Auto Scaling groups of a target; its members are its EC2
    instances."""

    name: ClassVar[str] = "AMI"
    label: ClassVar[str] = "AWS AMI"
    steps: ClassVar[Mapping[str, Step]] = {
        step.kind: step for step in (Setup(), Upgrade(), Stage(), Switch(), Shift(), Refresh())
    }
    connector_model: ClassVar[type[BaseModel]] = Connector
    infrastructure_model: ClassVar[type[BaseModel]] = Infrastructure
    deploys: ClassVar[frozenset[str]] = frozenset(_PHASES)
    reverts: ClassVar[tuple[str, ...]] = (
        "The groups that had instances before: minimum, maximum and desired, with new instances",
        "Their target groups, suspended processes and scaling policies",
        "The weights of the listener rule",
        "The group of this release and its launch template version, which are deleted",
        "After an instance refresh: what the instances of the group start from; they are replaced",
    )
    leaves: ClassVar[tuple[str, ...]] = (
        "The base group, which is never changed",
        "Instances: the very same ones do not come back, nor what they kept on their disks",
        "Older groups without instances that the deployment deleted",
        "Alarms, listeners, other rules, and whatever else shares the launch template",
    )

    def default_phases(self, workflow_type: str) -> list[dict[str, Any]]:
        return [
            {"name": name, "steps": [_step(kind, settings) for kind, settings in steps]}
            for name, steps in _PHASES[workflow_type]
        ]

    def select(self, target: TargetRef, selection: Mapping[str, Any]) -> tuple[str, ...]:
        """The series, which is all there is."""
        if selection:
            raise PlatformError(
                f"AMI phases cannot select by {', '.join(map(str, selection))}; every phase is "
                "about the groups of the infrastructure definition.",
                permanent=True,
            )
        return (series.key_of(target),)

    def observe(self, target: TargetRef, instances: Sequence[str] = ()) -> Observation:
        return observed(target, instances)


def _step(kind: type[Step], settings: dict[str, Any]) -> dict[str, Any]:
    step = {"name": kind.label, "kind": kind.kind}
    return {**step, "settings": settings} if settings else step
