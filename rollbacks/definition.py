"""A workflow's definition: the document people write, checked; errors name the place."""

from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Annotated, Any, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    model_validator,
)

from rollbacks.platforms import platform_of, steps_of
from rollbacks.platforms.base import Platform
from rollbacks.platforms.base import Step as StepKind
from rollbacks.strategies import ROLL_BACK, FailureStrategy

Model = TypeVar("Model", bound=BaseModel)


class DefinitionError(ValueError):
    """The document is refused; `problems` are (place, sentence), place like `phases.0.steps.1`."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{place}: {what}".lstrip(": ") for place, what in problems))
        self.problems = problems


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Variable(_Part):
    """A workflow variable: required unless it has a default."""

    name: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=60)
    default: str | None = None
    description: str = ""


# Left out of a stored definition where it is not given: one that says nothing new is no revision.
OwnStrategy = Annotated[FailureStrategy | None, Field(exclude_if=lambda value: value is None)]
SharedSettings = Annotated[dict[str, Any], Field(exclude_if=lambda value: not value)]
Option = Annotated[bool, Field(exclude_if=lambda value: not value)]


class StepDefinition(_Part):
    """One step; `timeout` in seconds is for one attempt, all its instances and repetitions."""

    name: str = Field(min_length=1, max_length=80)
    kind: str
    timeout: float = Field(default=600, gt=0, le=86_400)
    settings: dict[str, Any] = {}
    failure_strategy: OwnStrategy = None


class UndoDefinition(_Part):
    """A rollback step that returns to what the named step captured."""

    undo: str
    timeout: float | None = Field(default=None, gt=0, le=86_400)
    failure_strategy: OwnStrategy = None


def _which(step: object) -> str:
    """So that a mistake is told once, of the kind of rollback step that was meant."""
    means_undo = "undo" in step if isinstance(step, dict) else isinstance(step, UndoDefinition)
    return "undo" if means_undo else "step"


RollbackStep = Annotated[
    Annotated[UndoDefinition, Tag("undo")] | Annotated[StepDefinition, Tag("step")],
    Discriminator(_which),
]


class PhaseDefinition(_Part):
    """Steps in order, and rollback steps in order (by default: undo each, last first).

    Its failure strategy is for its steps; a rollback step has its own or ends the rollback.
    """

    name: str = Field(min_length=1, max_length=80)
    select: dict[str, Any] = {}
    steps: list[StepDefinition] = Field(min_length=1)
    rollback_steps: list[RollbackStep] | None = None
    failure_strategy: OwnStrategy = None

    @model_validator(mode="after")
    def _names(self) -> Self:
        names = [step.name for step in self.steps]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two steps are named {name!r}; names in a phase must differ")
        for step in self.rollback_steps or ():
            if isinstance(step, UndoDefinition) and step.undo not in names:
                raise ValueError(f"rollback step undoes {step.undo!r}, which is no step here")
            if step.failure_strategy and step.failure_strategy.has_undo():
                raise ValueError("a rollback step that fails cannot be answered by a rollback")
        return self

    @property
    def undo_steps(self) -> list[UndoDefinition | StepDefinition]:
        """The rollback steps as configured, or the default."""
        if self.rollback_steps is not None:
            return self.rollback_steps
        return [UndoDefinition(undo=step.name) for step in reversed(self.steps)]


_AROUND = ("pre_deployment_steps", "post_deployment_steps")


class WorkflowDefinition(_Part):
    """The whole document of one workflow revision.

    `settings` count for every step whose kind has a setting of that name and which has none itself.
    `rollback_all_phases_at_once`: not phase by phase, last first, where one undo brings back all.
    """

    variables: list[Variable] = []
    settings: SharedSettings = {}
    failure_strategy: FailureStrategy = ROLL_BACK
    rollback_all_phases_at_once: Option = False
    pre_deployment_steps: list[StepDefinition] = []
    phases: list[PhaseDefinition] = Field(min_length=1)
    post_deployment_steps: list[StepDefinition] = []

    def strategy_of(self, step: StepDefinition, phase: PhaseDefinition) -> FailureStrategy:
        """Of a step of a phase: the nearest that is given."""
        return step.failure_strategy or phase.failure_strategy or self.failure_strategy

    def completed(self, kinds: Mapping[str, StepKind]) -> Self:
        """The definition with each step's settings whole; a kind that is not known gets none."""

        def complete(step: StepDefinition) -> StepDefinition:
            known = kinds[step.kind].settings_model.model_fields if step.kind in kinds else {}
            shared = {name: each for name, each in self.settings.items() if name in known}
            return step.model_copy(update={"settings": {**shared, **step.settings}})

        def each(steps: Iterable[UndoDefinition | StepDefinition]) -> list[Any]:
            return [complete(step) if isinstance(step, StepDefinition) else step for step in steps]

        phases = []
        for phase in self.phases:
            back = None if phase.rollback_steps is None else each(phase.rollback_steps)
            whole = {"steps": each(phase.steps), "rollback_steps": back}
            phases.append(phase.model_copy(update=whole))
        around = {part: each(getattr(self, part)) for part in _AROUND}
        return self.model_copy(update={"phases": phases, **around})

    def values(self, given: Mapping[str, str]) -> dict[str, str]:
        """Every variable's value for an execution; raises DefinitionError naming what is wrong."""
        names = {variable.name for variable in self.variables}
        problems = [(name, "is no variable of this workflow") for name in given.keys() - names]
        values: dict[str, str] = {}
        for variable in self.variables:
            value = given.get(variable.name, variable.default)
            if value is None:
                problems.append((variable.name, "is required: give a value"))
            else:
                values[variable.name] = value
        if problems:
            raise DefinitionError(problems)
        return values


def parse(document: object, deployment_type: str, workflow_type: str) -> WorkflowDefinition:
    """The checked definition; phases left out are the platform's default for the workflow type."""
    platform = platform_of(deployment_type)
    if workflow_type not in platform.deploys:
        raise DefinitionError(
            [
                (
                    "",
                    f"{platform.label} deploys {', '.join(sorted(platform.deploys))} so far",
                )
            ]
        )
    if isinstance(document, dict) and "phases" not in document:
        document = {**document, "phases": platform.default_phases(workflow_type)}
    definition = checked(WorkflowDefinition, document)
    problems = _settings_problems(definition, steps_of(deployment_type))
    if definition.rollback_all_phases_at_once:
        problems += _at_once_problems(definition, platform)
    if workflow_type == "BASIC" and len(definition.phases) > 1:
        problems.append(("phases", "a Basic workflow has one phase"))
    if problems:
        raise DefinitionError(problems)
    return definition


def _at_once_problems(
    definition: WorkflowDefinition, platform: Platform
) -> Iterator[tuple[str, str]]:
    place = "rollback_all_phases_at_once"
    if not any(kind.undoes_later for kind in platform.steps.values()):
        yield place, f"{platform.label} rolls back phase by phase; leave it out"
    for phase in definition.phases:
        if phase.rollback_steps is not None:
            text = f"the rollback_steps of the phase {phase.name} would not run; leave out either"
            yield place, text


def checked(model: type[Model], document: object, place: str = "") -> Model:
    """The document as the model; raises DefinitionError with the place of everything wrong."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise DefinitionError(
            [
                (".".join([*([place] if place else []), *map(str, each["loc"])]), each["msg"])
                for each in error.errors(include_url=False, include_input=False)
            ]
        ) from None


def _steps(definition: WorkflowDefinition) -> list[tuple[str, StepDefinition]]:
    found = [
        (f"{part}.{i}", step)
        for part in _AROUND
        for i, step in enumerate(getattr(definition, part))
    ]
    for p, phase in enumerate(definition.phases):
        found += [(f"phases.{p}.steps.{i}", step) for i, step in enumerate(phase.steps)]
        found += [
            (f"phases.{p}.rollback_steps.{i}", step)
            for i, step in enumerate(phase.rollback_steps or ())
            if isinstance(step, StepDefinition)
        ]
    return found


def _settings_problems(
    definition: WorkflowDefinition, known: Mapping[str, StepKind]
) -> list[tuple[str, str]]:
    """What is wrong with any step, as it would run, and with what the workflow sets for all."""
    problems = []
    kinds = set()
    whole = _steps(definition.completed(known))
    for (place, own), (_, step) in zip(_steps(definition), whole, strict=True):
        kinds.add(step.kind)
        shared = definition.settings.keys() - own.settings.keys()
        for where, what in _step_problems(place, step, known):
            problems.append((_origin(where, place, shared), what))
    fields = {
        name for kind in kinds & known.keys() for name in known[kind].settings_model.model_fields
    }
    problems += [
        (f"settings.{name}", "no step of this workflow has such a setting")
        for name in definition.settings
        if name not in fields
    ]
    return list(dict.fromkeys(problems))


def _origin(where: str, place: str, shared: Set[str]) -> str:
    """A wrong setting that a step has from its workflow is wrong there."""
    inside = f"{place}.settings."
    name = where.removeprefix(inside).partition(".")[0]
    is_shared = where.startswith(inside) and name in shared
    return where.removeprefix(f"{place}.") if is_shared else where


def _step_problems(
    place: str, step: StepDefinition, known: Mapping[str, StepKind]
) -> list[tuple[str, str]]:
    if step.kind not in known:
        return [(f"{place}.kind", f"{step.kind!r} is not one of {', '.join(sorted(known))}")]
    try:
        checked(known[step.kind].settings_model, step.settings, f"{place}.settings")
    except DefinitionError as error:
        return error.problems
    return []
