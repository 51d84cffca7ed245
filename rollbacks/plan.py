"""What exactly an execution will do: built here, shown to people, journaled, then done.

Pure but for reading the database; touches no platform.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from dashboard.models import Deployment, Direction, Phase, Step, Target, WorkflowRevision
from rollbacks import cautions, continuing, observation, picks, specs
from rollbacks.cautions import Caution
from rollbacks.definition import (
    PhaseDefinition,
    StepDefinition,
    UndoDefinition,
    WorkflowDefinition,
)
from rollbacks.journal import PlannedPhase, PlannedStep
from rollbacks.picks import Pick
from rollbacks.platforms import platform_of, steps_of
from rollbacks.platforms.base import Change, TargetRef
from rollbacks.strategies import FailureStrategy, journaled


class Configuration(StrEnum):
    """Whose rollback steps run: the workflow's of today (the field's way) or as deployed."""

    CURRENT = "current"
    DEPLOYED = "deployed"


@dataclass(frozen=True)
class Plan:
    """A rollback as the dialog shows it and as the journal will hold it."""

    deployment: Deployment
    configuration: Configuration
    revision: WorkflowRevision
    phases: tuple[PlannedPhase, ...]
    warnings: tuple[Caution, ...]
    reverts: tuple[str, ...]
    leaves: tuple[str, ...]
    has_choice: bool
    new_instances: tuple[str, ...] = ()
    inactive: tuple[str, ...] = ()
    problems: tuple[str, ...] = field(default=())

    @property
    def service(self) -> str:
        return self.deployment.target.service.name

    @property
    def environment(self) -> Any:
        return self.deployment.target.infrastructure.environment

    @property
    def infrastructure(self) -> str:
        return self.deployment.target.infrastructure.name

    @property
    def workflow(self) -> str:
        return self.deployment.workflow.name

    @property
    def revision_number(self) -> int:
        return self.revision.number

    @property
    def deployed_by(self) -> str:
        return self.deployment.started_by.label

    @property
    def deployed_at(self) -> datetime | None:
        return self.deployment.finished_at

    @property
    def from_version(self) -> str:
        return specs.version_of(self.deployment)

    @property
    def to_version(self) -> str:
        return specs.version_of(self.deployment.replaces)

    @property
    def instance_count(self) -> int:
        return len({key for phase in self.phases for key in phase.instances})

    @property
    def fingerprint(self) -> str:
        """Equal for two plans that would do the same; the dialog sends it back."""
        content = {
            "deployment": self.deployment.pk,
            "from": self.from_version,
            "to": self.to_version,
            "revision": self.revision.pk,
            "infrastructure": self.deployment.target.infrastructure.settings,
            "left out": [self.new_instances, self.inactive],
            "phases": [
                {
                    "undoes": phase.undoes_id,
                    "instances": phase.instances,
                    "newcomers": phase.newcomers,
                    "steps": [
                        [
                            step.name,
                            step.kind,
                            step.timeout,
                            step.settings,
                            step.undoes_id,
                            journaled(step.failure_strategy),
                            step.done_in.pk if step.done_in else None,
                        ]
                        for step in phase.steps
                    ],
                }
                for phase in self.phases
            ],
        }
        text = json.dumps(content, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def forward(definition: WorkflowDefinition, target: Target) -> list[PlannedPhase]:
    """The phases of a deployment, in order. Raises PlatformError where hosts cannot be chosen."""
    platform = platform_of(target.service.deployment_type)
    definition = definition.completed(steps_of(target.service.deployment_type))
    ref = observation.target_ref(target, with_credential=False)
    everything = platform.select(ref, {})

    def around(name: str, steps: Sequence[StepDefinition]) -> list[PlannedPhase]:
        if not steps:
            return []
        planned = tuple(
            _forward_step(step, target, step.failure_strategy or definition.failure_strategy)
            for step in steps
        )
        return [PlannedPhase(name, Direction.FORWARD, everything, planned, is_undoable=False)]

    taken: list[str] = []

    def next_of(phase: PhaseDefinition) -> tuple[str, ...]:
        found = platform.select_after(ref, phase.select, taken)
        taken.extend(key for key in found if key not in taken)
        return found

    return [
        *around("Pre-deployment", definition.pre_deployment_steps),
        *(
            PlannedPhase(
                phase.name,
                Direction.FORWARD,
                next_of(phase),
                tuple(
                    _forward_step(step, target, definition.strategy_of(step, phase))
                    for step in phase.steps
                ),
            )
            for phase in definition.phases
        ),
        *around("Post-deployment", definition.post_deployment_steps),
    ]


def _forward_step(
    step: StepDefinition, target: Target, strategy: FailureStrategy | None
) -> PlannedStep:
    kind = specs.kind_of(target, step.kind)
    specs.readable(kind.settings_model, step.settings, f"The step {step.name}")
    return PlannedStep(
        step.name,
        step.kind,
        kind.label,
        step.timeout,
        step.settings,
        failure_strategy=strategy,
    )


def definition_of(revision: WorkflowRevision) -> WorkflowDefinition:
    """The revision's definition; PlatformError where this release cannot read it."""
    return specs.readable(WorkflowDefinition, revision.definition, f"The definition {revision}")


def _completed(revision: WorkflowRevision, target: Target) -> WorkflowDefinition:
    return definition_of(revision).completed(steps_of(target.service.deployment_type))


def undo_of_failed(deployment: Deployment, only: Phase | None = None) -> list[PlannedPhase]:
    """The phases that undo what a failed deployment has captured so far, last first; or `only` one.

    The very rollback steps a post-deployment rollback runs, with the configuration as deployed.
    """
    definition = _completed(deployment.revision, deployment.target)
    begun = [
        phase
        for phase in _forward_phases(deployment)
        if only in (None, phase) and any(step.captured is not None for step in phase.steps.all())
    ]
    every = [Pick(picks.deployed_by(phase)) for phase in begun]
    named = {key for pick in every for key in pick.instances}
    ref = observation.target_ref(deployment.target, with_credential=False, besides=named)
    phases = [
        _undo_phase(phase, definition, deployment, pick, ref)
        for phase, pick in zip(begun, every, strict=True)
    ]
    if definition.rollback_all_phases_at_once and only is None:
        phases = _at_once(phases, deployment.target)
    return [
        replace(phase, steps=tuple(step for step in phase.steps if not step.problem))
        for phase in phases
    ]


def rollback(deployment: Deployment, configuration: Configuration) -> Plan:
    """The plan that undoes a successful deployment. Raises PlatformError where none can be made."""
    current = deployment.workflow.current_revision or deployment.revision
    revision = current if configuration == Configuration.CURRENT else deployment.revision
    definition = _completed(revision, deployment.target)
    everything = observation.every_instance(deployment.target)
    recorded = _forward_phases(deployment)
    ref = observation.target_ref(deployment.target, with_credential=False)
    earlier = continuing.unfinished(deployment)
    done = continuing.done_by(earlier)
    picked = picks.picks(deployment, recorded, everything)
    planned = [
        _undo_phase(phase, definition, deployment, pick, ref)
        for phase, pick in zip(recorded, picked.phases, strict=True)
    ]
    if definition.rollback_all_phases_at_once:
        planned = _at_once(planned, deployment.target)
    phases = tuple(_without_done(phase, done) for phase in planned)
    platform = platform_of(deployment.target.service.deployment_type)
    return Plan(
        deployment=deployment,
        configuration=configuration,
        revision=revision,
        phases=phases,
        warnings=tuple(cautions.before(deployment, current, picked, earlier)),
        reverts=platform.reverts,
        leaves=platform.leaves,
        has_choice=current.pk != deployment.revision_id,
        new_instances=picked.new,
        inactive=picked.inactive,
        problems=tuple(
            f"{phase.name}: {step.problem}"
            for phase in phases
            for step in phase.steps
            if step.problem
        ),
    )


def _at_once(phases: Sequence[PlannedPhase], target: Target) -> list[PlannedPhase]:
    """The one undo that brings back what all phases have changed; as they are where none does."""
    kinds = steps_of(target.service.deployment_type)
    for phase in reversed(phases):
        for step in phase.steps:
            if step.undoes and step.kind in kinds and kinds[step.kind].undoes_later:
                return [replace(phase, name="Rollback all phases", steps=(step,))]
    return list(phases)


def _without_done(phase: PlannedPhase, done: Mapping[continuing.Key, Step]) -> PlannedPhase:
    """The phase, with what the rollback that is continued has done marked as such."""
    steps = (
        replace(step, done_in=done.get(continuing.key(phase.undoes_id, step, phase.instances)))
        for step in phase.steps
    )
    return replace(phase, steps=tuple(steps))


def _forward_phases(deployment: Deployment) -> list[Phase]:
    """What was deployed, in the order in which it is undone."""
    return list(
        deployment.phases.filter(direction=Direction.FORWARD, is_undoable=True)
        .prefetch_related("steps")
        .order_by("-position")
    )


def _undo_phase(
    phase: Phase,
    definition: WorkflowDefinition,
    deployment: Deployment,
    pick: Pick,
    ref: TargetRef,
) -> PlannedPhase:
    today = next((each for each in definition.phases if each.name == phase.name), None)
    steps: tuple[PlannedStep, ...]
    if today is None:
        missing = "the workflow no longer has a phase of this name"
        steps = tuple(
            PlannedStep(step.name, step.kind, step.kind, 0, {}, undoes=step.name, problem=missing)
            for step in phase.steps.all()
        )
    else:
        journal = {step.name: step for step in phase.steps.all()}
        steps = tuple(
            _rollback_step(each, today, journal, deployment, pick, ref) for each in today.undo_steps
        )
    return PlannedPhase(
        f"Rollback {phase.name}",
        Direction.BACK,
        pick.instances,
        steps,
        undoes=phase.name,
        undoes_id=phase.pk,
        gone=pick.gone,
        newcomers=pick.newcomers,
    )


def _rollback_step(
    step: UndoDefinition | StepDefinition,
    phase: PhaseDefinition,
    journal: dict[str, Step],
    deployment: Deployment,
    pick: Pick,
    ref: TargetRef,
) -> PlannedStep:
    if isinstance(step, StepDefinition):
        return _forward_step(step, deployment.target, step.failure_strategy)
    forwards = next(each for each in phase.steps if each.name == step.undo)
    done = journal.get(step.undo)
    problem = ""
    if done is None or done.captured is None:
        problem = f"{step.undo} was not run by this deployment, so there is nothing to return to"
    elif done.kind != forwards.kind:
        problem = f"{step.undo} was a {done.kind} step then and is a {forwards.kind} step now"
    kind = specs.kind_of(deployment.target, forwards.kind)
    changes: Sequence[Change] = ()
    if done is not None and not problem:
        spec = specs.step_spec(
            deployment, forwards.name, forwards.kind, forwards.settings, pick.instances,
            Direction.BACK, pick.newcomers,
        )  # fmt: skip
        changes = kind.preview(ref, spec, done.captured)
    return PlannedStep(
        name=f"Undo {forwards.name}",
        kind=forwards.kind,
        label=kind.label,
        timeout=step.timeout or forwards.timeout,
        settings=forwards.settings,
        undoes=forwards.name,
        undoes_id=done.pk if done and not problem else None,
        changes=tuple(changes),
        problem=problem,
        failure_strategy=step.failure_strategy,
    )
