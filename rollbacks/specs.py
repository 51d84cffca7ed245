"""A step of an execution, and what it is about, as the plain values that a platform takes."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from dashboard.models import Deployment, Direction, Step, Target
from rollbacks import observation, rosters
from rollbacks.definition import DefinitionError, Model, checked
from rollbacks.platforms import steps_of
from rollbacks.platforms.base import ArtifactRef, Newcomers, PlatformError, StepSpec, TargetRef
from rollbacks.platforms.base import Step as StepKind

_NUMBERED = re.compile(r"([1-9][0-9]{0,17})-")


def version_of(deployment: Deployment | None) -> str:
    """The version it brings; empty where there is none."""
    artifact = deployment.artifact if deployment else None
    return artifact.version if artifact else ""


def kind_of(target: Target, kind: str) -> StepKind:
    """The kind of step on the target's platform; PlatformError where this release has none."""
    known = steps_of(target.service.deployment_type)
    if kind not in known:
        raise PlatformError(f"This release has no step of the kind {kind}", permanent=True)
    return known[kind]


def readable(model: type[Model], document: object, what: str) -> Model:
    """What an earlier release or an edit by hand has left may not pass today's checks."""
    try:
        return checked(model, document)
    except DefinitionError as error:
        raise PlatformError(f"{what} cannot be read: {error}", permanent=True) from None


def step_spec(
    deployment: Deployment,
    name: str,
    kind: str,
    settings: dict[str, Any],
    instances: tuple[str, ...],
    direction: Direction,
    newcomers: Sequence[str] = (),
    captured: Mapping[str, Any] | None = None,
) -> StepSpec:
    """A step as a plain value for a platform; `deployment` is the one that brings the artifact.

    `captured`: what an undo returns to. Raises PlatformError where this release cannot read it, or
    the step.
    """
    known = kind_of(deployment.target, kind)
    new = _newcomers(deployment, newcomers)
    returns_to = {*known.releases(captured or {}), *([new.release] if new else [])}
    return StepSpec(
        name=name,
        kind=kind,
        settings=readable(known.settings_model, settings, f"The step {name}").model_dump(),
        variables=deployment.variables,
        artifact=observation.artifact_ref(deployment.artifact),
        instances=instances,
        release=release_name(deployment),
        goes_back=direction == Direction.BACK,
        newcomers=new,
        earlier=_artifacts(deployment.target_id, returns_to),
    )


def _newcomers(deployment: Deployment, instances: Sequence[str]) -> Newcomers | None:
    """What instances are brought to that came after the deployment, when it is undone."""
    earlier = _brought_by(deployment.replaces) if instances else None
    if earlier is None or earlier.artifact is None:
        return None
    return Newcomers(tuple(instances), release_name(earlier))


def _artifacts(target_id: int, releases: Collection[str]) -> dict[str, ArtifactRef]:
    """What those of the names that are of releases on this target are made of."""
    keys = [int(match[1]) for name in releases if (match := _NUMBERED.match(name))]
    if not keys:
        return {}
    brought = Deployment.objects.filter(target=target_id, rolls_back=None, pk__in=keys)
    found = {
        release_name(each): observation.artifact_ref(each.artifact)
        for each in brought.select_related("artifact")
    }
    return {name: ref for name, ref in found.items() if ref is not None and name in releases}


def _brought_by(current: Deployment | None) -> Deployment | None:
    """The deployment whose release ran while this was the current one: a rollback brings none."""
    while current is not None and current.rolls_back is not None:
        current = current.rolls_back.replaces
    return current


def spec_of(deployment: Deployment, step: Step, gone: Collection[str] = ()) -> StepSpec:
    """A journaled step of an execution as a plain value for a platform, without what is gone.

    Raises PlatformError where this release cannot read it, or what it returns to.
    """
    return step_spec(
        deployment.rolls_back or deployment,
        step.name,
        step.kind,
        step.settings,
        tuple(key for key in step.phase.instances or () if key not in gone),
        Direction(step.phase.direction),
        tuple(key for key in step.phase.newcomers if key not in gone),
        step.undoes.captured if step.undoes else None,
    )


def as_it_is(deployment: Deployment, step: Step) -> tuple[TargetRef, StepSpec]:
    """A journaled step, of those of its instances that are still there; and where they are."""
    named = step.phase.instances or ()
    goes_back = step.phase.direction == Direction.BACK
    target = observation.target_ref(deployment.target, besides=named, goes_back=goes_back)
    return target, spec_of(deployment, step, gone(deployment, named))


def gone(deployment: Deployment, named: Iterable[str]) -> list[str]:
    """Which of these instances are no more, as the group said that they came out of."""
    return rosters.gone(deployment.target.infrastructure, named)


def release_name(deployment: Deployment) -> str:
    """Unique for the deployment, and readable on a host."""
    return f"{deployment.pk}-{version_of(deployment) or 'none'}"
