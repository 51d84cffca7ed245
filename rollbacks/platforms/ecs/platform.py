"""The platform ECS: what it can do, and what runs in the services of a target."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel

from rollbacks.platforms.aws.settings import Connector
from rollbacks.platforms.base import Observation, Platform, PlatformError, Step, TargetRef
from rollbacks.platforms.ecs import series
from rollbacks.platforms.ecs.looks import observed
from rollbacks.platforms.ecs.rollout import Rollout
from rollbacks.platforms.ecs.settings import Infrastructure
from rollbacks.platforms.ecs.setup import Setup
from rollbacks.platforms.ecs.stage import Stage
from rollbacks.platforms.ecs.swap import Swap
from rollbacks.platforms.ecs.upgrade import Upgrade
from rollbacks.platforms.ecs.weights import Weights

_PHASES: Mapping[str, list[tuple[str, list[tuple[type[Step], dict[str, Any]]]]]] = {
    "BASIC": [("Deploy", [(Rollout, {})])],
    "ROLLING": [("Rolling", [(Rollout, {})])],
    "CANARY": [
        ("Canary", [(Setup, {}), (Upgrade, {"instances": "25%"})]),
        ("Primary", [(Upgrade, {"instances": "100%"})]),
    ],
    "BLUE_GREEN": [("Blue/Green", [(Stage, {}), (Swap, {})])],
}
_SERVICES = "services"


class Ecs(Platform):
    """An instance is an ECS service that is updated in place, or the series of services of a
    target; its members are tasks."""

    name: ClassVar[str] = "ECS"
    label: ClassVar[str] = "Amazon ECS"
    steps: ClassVar[Mapping[str, Step]] = {
        step.kind: step for step in (Rollout(), Setup(), Upgrade(), Stage(), Swap(), Weights())
    }
    connector_model: ClassVar[type[BaseModel]] = Connector
    infrastructure_model: ClassVar[type[BaseModel]] = Infrastructure
    deploys: ClassVar[frozenset[str]] = frozenset(_PHASES)
    reverts: ClassVar[tuple[str, ...]] = (
        "In place: task definition, count and settings of each service, with new tasks",
        "In a series: the count and task definition of every service that had tasks, with new ones",
        "Scalable targets with their bounds, policies and suspended scaling",
        "Listeners or rules, Route 53 weights, and the tags BLUE and GREEN",
    )
    leaves: ClassVar[tuple[str, ...]] = (
        "The base service, which is never changed",
        "Tasks: the very same ones do not come back, nor what they kept on their disks",
        "The service of this release, without tasks, and its task definition revision",
        "Older services without tasks that the deployment deleted",
        "Secrets, parameters and images that a task definition only names",
    )

    def default_phases(self, workflow_type: str) -> list[dict[str, Any]]:
        return [
            {"name": name, "steps": [_step(kind, settings) for kind, settings in steps]}
            for name, steps in _PHASES[workflow_type]
        ]

    def select(self, target: TargetRef, selection: Mapping[str, Any]) -> tuple[str, ...]:
        """All there are, or in place those named as {"services": [NAME, …]}."""
        keys = series.keys_of(target)
        if not selection:
            return keys
        named = selection.get(_SERVICES)
        if set(selection) != {_SERVICES} or not isinstance(named, list):
            raise PlatformError(
                f"ECS phases select by services, a list of names, not by "
                f"{', '.join(map(str, selection))}.",
                permanent=True,
            )
        if unknown := [str(each) for each in named if each not in keys]:
            raise PlatformError(
                f"{target.infrastructure} has no service {', '.join(unknown)}.", permanent=True
            )
        return tuple(each for each in keys if each in named)

    def observe(self, target: TargetRef, instances: Sequence[str] = ()) -> Observation:
        return observed(target, instances)


def _step(kind: type[Step], settings: dict[str, Any]) -> dict[str, Any]:
    step = {"name": kind.label, "kind": kind.kind}
    return {**step, "settings": settings} if settings else step
