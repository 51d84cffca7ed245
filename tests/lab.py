"""A platform whose hosts are a dictionary, to try the engine with every fault at any point.

It keeps the contract of rollbacks.platforms.base and nothing else; what the real platforms do is
tested against real servers.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from rollbacks.platforms.base import (
    Change,
    Control,
    Done,
    InstanceOutcome,
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
    """The hosts: what each runs ("" is nothing), and what goes wrong there."""

    runs: dict[str, str]
    calls: list[tuple[str, str, str]] = field(default_factory=list)
    silent: set[str] = field(default_factory=set)
    broken: dict[str, str] = field(default_factory=dict)
    before_change: Callable[[str], None] = lambda host: None
    lock: threading.Lock = field(default_factory=threading.Lock)


class Install(Step):
    """Makes a host run the release; undo makes it run what it ran."""

    kind: ClassVar[str] = "lab.install"
    label: ClassVar[str] = "Install"
    settings_model: ClassVar[type[BaseModel]] = Anything

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet

    def capture(self, target: TargetRef, spec: StepSpec, control: Control) -> dict[str, Any]:
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
        self.steps = {Install.kind: Install(fleet)}  # type: ignore[misc]

    def default_phases(self, workflow_type: str) -> list[dict[str, Any]]:
        return [{"name": "Hosts", "steps": [{"name": "Install", "kind": "lab.install"}]}]

    def select(self, target: TargetRef, selection: Mapping[str, Any]) -> tuple[str, ...]:
        hosts = target.settings["hosts"]
        return tuple(selection.get("hosts", hosts))

    def observe(self, target: TargetRef, instances: Sequence[str] = ()) -> Observation:
        return Observation(
            tuple(
                ObservedInstance(key, None, message=f"{key} did not answer")
                if key in self.fleet.silent
                else ObservedInstance(
                    key, self.fleet.runs.get(key, ""), self._version(key), is_healthy=True
                )
                for key in instances or target.settings["hosts"]
            )
        )

    def _version(self, key: str) -> str:
        return self.fleet.runs.get(key, "").partition("-")[2]
