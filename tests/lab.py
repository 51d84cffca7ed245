"""A platform whose hosts are a dictionary, to try the engine with every fault at any point.

It keeps the contract of rollbacks.platforms.base and nothing else; what the real platforms do is
tested against real servers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from rollbacks.platforms.base import (
    Change,
    Control,
    Done,
    Inspection,
    InstanceOutcome,
    Member,
    Observation,
    ObservedInstance,
    OutcomeState,
    Platform,
    PlatformError,
    Progress,
    Running,
    Step,
    StepSpec,
    TargetRef,
)


class Anything(BaseModel):
    model_config = ConfigDict(extra="allow")


@dataclass
class Fleet:
    """The hosts: what each runs ("" is nothing), and what goes wrong there.

    `calls` are the changes made; `specs` what each call of a step was given; `point` is called
    before each call of the platform. `inspections`: by the name of a step, what inspecting it
    says, one after the other, and the last one again and again; `inspected` what was asked.
    """

    runs: dict[str, str]
    calls: list[tuple[str, str, str]] = field(default_factory=list)
    silent: set[str] = field(default_factory=set)
    broken: dict[str, str] = field(default_factory=dict)
    before_change: Callable[[str], None] = lambda host: None
    after_change: Callable[[str], None] = lambda host: None
    point: Callable[[str], None] = lambda label: None
    specs: list[tuple[str, StepSpec]] = field(default_factory=list)
    is_unreachable: bool = False
    unhealthy: set[str] = field(default_factory=set)
    members: dict[str, tuple[Member, ...]] = field(default_factory=dict)
    inspections: dict[str, list[Inspection | Exception]] = field(default_factory=dict)
    inspected: list[tuple[StepSpec, Mapping[str, Any] | None]] = field(default_factory=list)


class Install(Step):
    """Makes a host run the release; undo makes it run what it ran."""

    kind: ClassVar[str] = "lab.install"
    label: ClassVar[str] = "Install"
    settings_model: ClassVar[type[BaseModel]] = Anything

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet

    def capture(self, target: TargetRef, spec: StepSpec, control: Control) -> dict[str, Any]:
        self.fleet.point("capture")
        silent = [key for key in spec.instances if key in self.fleet.silent]
        if silent:
            raise PlatformError(f"{', '.join(silent)} did not answer")
        return {key: self.fleet.runs.get(key, "") for key in spec.instances}

    def apply(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        return self._set("apply", spec, dict.fromkeys(spec.instances, spec.release), control)

    def undo(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        return self._set("undo", spec, {key: captured[key] for key in spec.instances}, control)

    def _set(
        self, verb: str, spec: StepSpec, wanted: Mapping[str, str], control: Control
    ) -> Progress:
        broken, waiting = "", []
        self.fleet.specs.append((verb, spec))
        self.fleet.point(verb)
        for host, release in wanted.items():
            if host in self.fleet.silent:
                waiting.append(host)
                control.report(host, InstanceOutcome(OutcomeState.UNKNOWN, "no answer"))
            elif verb in self.fleet.broken.get(host, ""):
                control.report(host, InstanceOutcome(OutcomeState.FAILED, "exit status 1"))
                broken = f"{host}: exit status 1"
            elif self.fleet.runs.get(host, "") == release:
                control.report(host, InstanceOutcome(OutcomeState.UNCHANGED))
            else:
                self.fleet.before_change(host)
                control.checkpoint()
                self.fleet.calls.append((verb, spec.name, host))
                self.fleet.runs[host] = release
                self.fleet.after_change(host)
                control.log(host, f"now runs {release}")
                control.report(host, InstanceOutcome(OutcomeState.DONE, f"runs {release}"))
        if broken:
            raise PlatformError(broken, permanent=True)
        if waiting:
            return Running(f"{', '.join(waiting)} did not answer", again_in=0.05)
        return Done()

    def preview(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Sequence[Change]:
        return [
            Change(key, "release", spec.release, (captured or {}).get(key, ""))
            for key in spec.instances
        ]

    def inspect(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Inspection:
        self.fleet.point("inspect")
        self.fleet.inspected.append((spec, captured))
        said = self.fleet.inspections.get(spec.name, [Inspection()])
        found = said.pop(0) if len(said) > 1 else said[0]
        if isinstance(found, Exception):
            raise found
        return found

    def irreversible(self, settings: Mapping[str, Any]) -> str:
        return "With prune, nothing is left to return to" if settings.get("prune") else ""


class Note(Step):
    """Tells each host something, every time; there is nothing to undo."""

    kind: ClassVar[str] = "lab.note"
    label: ClassVar[str] = "Note"
    settings_model: ClassVar[type[BaseModel]] = Anything

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet

    def capture(self, target: TargetRef, spec: StepSpec, control: Control) -> dict[str, Any]:
        return {}

    def apply(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        return self._tell("note", spec, control)

    def undo(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        return self._tell("unnote", spec, control)

    def _tell(self, verb: str, spec: StepSpec, control: Control) -> Progress:
        self.fleet.specs.append((verb, spec))
        for host in spec.instances:
            control.checkpoint()
            self.fleet.calls.append((verb, spec.name, host))
            control.report(host, InstanceOutcome(OutcomeState.DONE))
        return Done()

    def preview(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Sequence[Change]:
        return ()


class Lab(Platform):
    name: ClassVar[str] = "SSH"
    label: ClassVar[str] = "Lab"
    connector_model: ClassVar[type[BaseModel]] = Anything
    infrastructure_model: ClassVar[type[BaseModel]] = Anything
    deploys: ClassVar[frozenset[str]] = frozenset({"BASIC", "CANARY", "ROLLING"})
    reverts: ClassVar[tuple[str, ...]] = ("The release",)
    leaves: ClassVar[tuple[str, ...]] = ("Databases",)

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.steps = {Install.kind: Install(fleet), Note.kind: Note(fleet)}  # type: ignore[misc]

    def default_phases(self, workflow_type: str) -> list[dict[str, Any]]:
        return [{"name": "Hosts", "steps": [{"name": "Install", "kind": "lab.install"}]}]

    def select(self, target: TargetRef, selection: Mapping[str, Any]) -> tuple[str, ...]:
        hosts = target.settings["hosts"]
        return tuple(selection.get("hosts", hosts))

    def observe(self, target: TargetRef, instances: Sequence[str] = ()) -> Observation:
        self.fleet.point("observe")
        if self.fleet.is_unreachable:
            raise PlatformError("The network is down")
        return Observation(
            tuple(
                ObservedInstance(key, None, message=f"{key} did not answer")
                if key in self.fleet.silent
                else ObservedInstance(
                    key,
                    self.fleet.runs.get(key, ""),
                    self._version(key),
                    key not in self.fleet.unhealthy,
                    members=self.fleet.members.get(key),
                )
                for key in instances or target.settings["hosts"]
            )
        )

    def _version(self, key: str) -> str:
        return self.fleet.runs.get(key, "").partition("-")[2]
