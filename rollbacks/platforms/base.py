"""What a platform is: the only thing the author of one must read.

A platform knows neither Django nor Celery. It takes the plain frozen values below and returns
plain values. Everything here is level-triggered: a call looks at the live platform and does only
what is still missing, so a killed worker's successor simply calls it again.

Rules: every network call has a time limit; `control.checkpoint()` comes right before each call
that changes something; every remote word is quoted once, at the edge; a hung or failed instance
neither delays nor hides the others; only PlatformError (and Stopped, from the checkpoint) leaves.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel


class PlatformError(Exception):
    """The platform said no, or nothing. The message is fit for a person's eyes.

    `permanent`: trying again cannot help (a changed host key, a missing right); otherwise the
    engine looks again until the step's time limit.
    """

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent


class Stopped(Exception):
    """The execution was aborted or belongs to another worker: start nothing more."""


class OutcomeState(StrEnum):
    """What became of one instance in one step."""

    RUNNING = "RUNNING"
    DONE = "DONE"  # changed by this step, and checked
    UNCHANGED = "UNCHANGED"  # was already as wanted
    FAILED = "FAILED"  # known not to be as wanted
    UNKNOWN = "UNKNOWN"  # no answer: it may or may not have happened
    GONE = "GONE"  # said by the engine alone: the instance is not there any more


@dataclass(frozen=True)
class InstanceOutcome:
    """The message says what was done or what went wrong, for a person."""

    state: OutcomeState
    message: str = ""


@dataclass(frozen=True)
class Secret:
    """A resolved credential that no repr, log or traceback shows."""

    value: str = field(repr=False)


@dataclass(frozen=True)
class ArtifactRef:
    """`location`: absolute path, URL or image; `checksum`: "sha256:…" or empty."""

    version: str
    location: str
    checksum: str
    artifact_type: str


class Pace(Protocol):
    """How fast all workers together may ask one provider."""

    def take(self, bucket: str, rate: float, burst: int) -> float:
        """Take a token of the bucket, which holds `burst` and gets `rate` new ones a second for all
        who ask the provider; how many of them are ours is up to the pace.

        The seconds until it is there. Thread-safe. Raises PlatformError.
        """


@dataclass(frozen=True)
class TargetRef:
    """One service on one infrastructure; `connector` and `settings` passed their models.

    `hosts`: those that were found where the settings say where to find them, as the settings would
    list them; None: the settings list them. `pace`: None where nobody else asks the provider, as in
    a platform's own tests.
    """

    application: str
    service: str
    environment: str
    infrastructure: str
    connector: Mapping[str, Any]
    settings: Mapping[str, Any]
    credential: Secret | None
    hosts: tuple[Mapping[str, Any], ...] | None = None
    pace: Pace | None = None


@dataclass(frozen=True)
class Newcomers:
    """Instances that came after the deployment that is undone, so that nothing was captured there.

    They are brought to what ran before it: `release`, the name of the deployment that brought that.
    """

    instances: tuple[str, ...]
    release: str


@dataclass(frozen=True)
class StepSpec:
    """One step to capture, apply or undo.

    `settings` passed the step's model. `variables` reach scripts as environment. `instances`: the
    keys this phase is about. `release`: unique name of the deployment this step belongs to (for an
    undo: of the deployment that is undone). `artifact`: what the deployment brings (for an undo:
    what it brought). `goes_back`: the execution is a rollback; a rollback may also `apply` a step.
    `newcomers`: which of the instances an undo has no capture of. `earlier`: what the releases that
    an undo returns to are made of, by their names, in case one of them is not there any more.
    """

    name: str
    kind: str
    settings: Mapping[str, Any]
    variables: Mapping[str, str]
    artifact: ArtifactRef | None
    instances: tuple[str, ...]
    release: str
    goes_back: bool = False
    newcomers: Newcomers | None = None
    earlier: Mapping[str, ArtifactRef] = field(default_factory=dict)

    def newcomer(self, instance: str) -> Newcomers | None:
        """What it is brought to, if it came after the deployment that is undone."""
        new = self.newcomers
        return new if new is not None and instance in new.instances else None

    @property
    def without_newcomers(self) -> "StepSpec":
        """Of the instances that were captured, for what has nothing to do on the others."""
        kept = tuple(each for each in self.instances if not self.newcomer(each))
        return replace(self, instances=kept, newcomers=None)


class Control(Protocol):
    """The engine's side of a running step."""

    def checkpoint(self) -> None:
        """Raise Stopped unless this worker may still change things. Cheap; thread-safe."""

    def safe_point(self) -> None:
        """As checkpoint, and also where this worker is to end: for a call that only waits."""

    def time_left(self) -> float:
        """Seconds until the step's time limit; a call that waits returns Running before."""

    def report(self, instance: str, outcome: InstanceOutcome) -> None:
        """Tell an instance's outcome so far; people see it within a second. Thread-safe."""

    def log(self, instance: str, text: str) -> None:
        """Add lines to the step's log; `instance` may be empty. Thread-safe."""


@dataclass(frozen=True)
class Running:
    """Not there yet: the engine calls again in `again_in` seconds, until the step's time limit."""

    message: str
    again_in: float = 2.0


@dataclass(frozen=True)
class Done:
    """Everything is as wanted; every instance has been reported DONE or UNCHANGED."""

    message: str = ""


Progress = Running | Done


@dataclass(frozen=True)
class Change:
    """One thing a step would change, in words; empty `before`: it is not there now."""

    instance: str
    what: str
    before: str
    after: str


@dataclass(frozen=True)
class Difference:
    """How one object of the platform would differ: lines as of a unified diff, without a header."""

    instance: str
    what: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Inspection:
    """What the live platform says of a step that has not begun.

    `warnings`: what a person should know, in sentences (who else changes this, what will happen).
    `problems`: what would make it fail, as a missing right; nothing is touched while there are any.
    """

    differences: tuple[Difference, ...] = ()
    warnings: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Member:
    """One of those that an instance consists of now: a pod of a workload, a task of a service.

    They come and go; nothing is expected of one by its name.
    """

    name: str
    version: str = ""
    is_healthy: bool | None = None
    message: str = ""


@dataclass(frozen=True)
class ObservedInstance:
    """`identity`: the platform's own name of exactly what runs; empty where nothing of ours runs,
    None where it could not be learned (`message` says why).

    `members`: None where the instance is one thing (a host), not made of several.
    """

    key: str
    identity: str | None
    version: str = ""
    is_healthy: bool | None = None
    message: str = ""
    members: tuple[Member, ...] | None = None


@dataclass(frozen=True)
class Observation:
    instances: tuple[ObservedInstance, ...]


class Step(ABC):
    """One kind of step. Stateless: one object serves every execution at once.

    `undoes_later`: its undo also brings back what later steps of the same deployment have changed.
    """

    kind: ClassVar[str]
    label: ClassVar[str]
    settings_model: ClassVar[type[BaseModel]]
    undoes_later: ClassVar[bool] = False

    @abstractmethod
    def capture(self, target: TargetRef, spec: StepSpec, control: Control) -> dict[str, Any]:
        """What is there now, as JSON: all `undo` will need. Reads only; saved before `apply`."""

    @abstractmethod
    def apply(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        """Bring what the step is to bring; does only what is still missing."""

    @abstractmethod
    def undo(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        """Bring back what was captured; does only what is still missing."""

    @abstractmethod
    def preview(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Sequence[Change]:
        """What `undo` (with a capture) or `apply` (without) would change. No network; pure."""

    def inspect(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Inspection:
        """Ask the live platform about `undo` (with a capture) or `apply` (without). Reads only.

        Raises PlatformError where nothing could be learned.
        """
        return Inspection()

    def releases(self, captured: Mapping[str, Any]) -> Collection[str]:
        """The names of the releases that ran when this was captured, as far as a name can be of
        one, for `earlier`. Pure. Raises PlatformError where the capture cannot be read."""
        return ()

    def irreversible(self, settings: Mapping[str, Any]) -> str:
        """Why a deployment by these settings cannot be rolled back; empty where it can. Pure."""
        return ""


class Platform(ABC):
    """One platform. Stateless."""

    name: ClassVar[str]  # a value of the catalogue's DeploymentType
    label: ClassVar[str]
    steps: ClassVar[Mapping[str, Step]]
    connector_model: ClassVar[type[BaseModel]]
    infrastructure_model: ClassVar[type[BaseModel]]
    deploys: ClassVar[frozenset[str]]  # workflow types it can execute
    reverts: ClassVar[tuple[str, ...]]  # what a rollback brings back, for the dialog
    leaves: ClassVar[tuple[str, ...]]  # what it does not, for the dialog

    @abstractmethod
    def default_phases(self, workflow_type: str) -> list[dict[str, Any]]:
        """Phases (as in a workflow definition) where a workflow names none."""

    @abstractmethod
    def select(self, target: TargetRef, selection: Mapping[str, Any]) -> tuple[str, ...]:
        """The instances a phase deploys to, by key. No network. Raises PlatformError."""

    def select_after(
        self, target: TargetRef, selection: Mapping[str, Any], taken: Sequence[str]
    ) -> tuple[str, ...]:
        """The same for a phase that follows others, which took those."""
        return self.select(target, selection)

    @abstractmethod
    def observe(self, target: TargetRef, instances: Sequence[str] = ()) -> Observation:
        """What runs now on these instances (empty: on all of the infrastructure).

        An instance that does not answer is in the answer with identity None; PlatformError only
        where nothing at all could be learned.
        """
