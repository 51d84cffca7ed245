"""What the live platform says of steps that have not begun: asked, never changed.

The dialog shows it; a worker touches nothing while there is a problem.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dashboard.models import Deployment, Direction, Step
from rollbacks import observation, plan, specs
from rollbacks.journal import PlannedPhase, PlannedStep
from rollbacks.platforms import steps_of
from rollbacks.platforms.base import Inspection, PlatformError
from rollbacks.platforms.base import Step as StepKind
from rollbacks.pulse import Pulse

LONGEST_SECONDS = 20.0


@dataclass(frozen=True)
class Readiness:
    """`problems` are sentences, each said once; `warnings` by the primary key of their step."""

    problems: Sequence[str] = ()
    warnings: Mapping[int, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Told:
    """What is said of one step of a plan; `error`: nothing could be learned."""

    phase: str
    step: str
    inspection: Inspection
    error: str = ""


def is_told(deployment: Deployment) -> bool:
    """Whether any kind of step on its platform has something to say before it begins."""
    try:
        kinds = steps_of(deployment.target.service.deployment_type).values()
    except PlatformError:
        return False
    return any(_inspects(kind) for kind in kinds)


def of_plan(planned: plan.Plan) -> Iterator[Told]:
    """What is said of each undo that a rollback would run, in its order.

    Each is asked for itself, and none any more once this has lasted for LONGEST_SECONDS.
    """
    if not is_told(planned.deployment):
        return
    undoes = [step.undoes_id for phase in planned.phases for step in phase.steps]
    captured = Step.objects.in_bulk([pk for pk in undoes if pk is not None])
    until = time.monotonic() + LONGEST_SECONDS
    for phase in planned.phases:
        for step in phase.steps:
            if step.undoes_id is None:
                continue
            inspection, error = Inspection(), ""
            try:
                if time.monotonic() >= until:
                    raise PlatformError("The platform took too long to answer about other steps")
                found = captured[step.undoes_id]
                inspection = _of_undo(planned.deployment, step, phase, found)
            except PlatformError as fault:
                error = str(fault)
            yield Told(phase.undoes, step.name, inspection, error)


def _of_undo(
    deployment: Deployment, step: PlannedStep, phase: PlannedPhase, undone: Step
) -> Inspection:
    kind = specs.kind_of(deployment.target, step.kind)
    if not _inspects(kind):
        return Inspection()
    spec = specs.step_spec(
        deployment, step.name, step.kind, step.settings, phase.instances, Direction.BACK,
        phase.newcomers, undone.captured,
    )  # fmt: skip
    target = observation.target_ref(deployment.target, goes_back=True)
    return kind.inspect(target, spec, undone.captured or {})


def ask(
    deployment: Deployment, steps: Iterable[Step], pulse: Pulse, *, tries: int, pause: float
) -> Readiness:
    """Ask about each journaled step, unless one has begun; again, after `pause` seconds, where the
    fault may pass.

    A fault that lasts is a problem, except of a rollback one that may still pass. Raises Stopped as
    soon as there is reason to.
    """
    begun = Step.objects.filter(phase__deployment=deployment, attempts__gt=0)
    if not is_told(deployment) or begun.exists():
        return Readiness()
    found: dict[int, Inspection] = {}
    every = waiting = list(steps)
    for number in range(tries):
        if number and waiting:
            pulse.wait(pause)
        failed = []
        for step in waiting:
            pulse.safe_point()
            try:
                found[step.pk] = _of_journaled(deployment, step)
            except PlatformError as error:
                found[step.pk] = _unlearned(step, error)
                if not error.permanent:
                    failed.append(step)
        waiting = failed
    problems = [
        f"{step.name}: {problem.rstrip('.')}."
        for step in every
        for problem in found[step.pk].problems
    ]
    warnings = {pk: inspection.warnings for pk, inspection in found.items() if inspection.warnings}
    return Readiness(list(dict.fromkeys(problems)), warnings)


def _unlearned(step: Step, error: PlatformError) -> Inspection:
    """What could not be asked holds up no rollback, which does what it can until its time is over;
    a deployment does not begin."""
    if step.undoes_id is not None and not error.permanent:
        return Inspection(warnings=(f"It could not be asked about before: {error}",))
    return Inspection(problems=(str(error),))


def _of_journaled(deployment: Deployment, step: Step) -> Inspection:
    kind = specs.kind_of(deployment.target, step.kind)
    if not _inspects(kind):
        return Inspection()
    captured = None if step.undoes is None else step.undoes.captured or {}
    return kind.inspect(*specs.as_it_is(deployment, step), captured)


def _inspects(kind: StepKind) -> bool:
    return type(kind).inspect is not StepKind.inspect
