"""The platform of the simulation: it keeps the contract of platforms.base, on plain data.

Nothing happens between a checkpoint and the change that follows it: a process that is stopped
exactly there is what no lease can help against, and each platform guards on its own instances.
"""

from collections.abc import Mapping, Sequence
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
from rollbacks.pulse import StepControl
from rollbacks.simulation.database import Rows
from rollbacks.simulation.faults import Faults
from rollbacks.simulation.scheduler import Scheduler
from rollbacks.simulation.world import Call, Look, Verb, World, identity, version

KIND = "simulated.part"


class Anything(BaseModel):
    model_config = ConfigDict(extra="allow")


class Part(Step):
    """Makes one part of each instance be of the release; undo makes it what it was."""

    kind: ClassVar[str] = KIND
    label: ClassVar[str] = "Part"
    settings_model: ClassVar[type[BaseModel]] = Anything

    def __init__(self, world: World, scheduler: Scheduler, faults: Faults, rows: Rows) -> None:
        self._world = world
        self._scheduler = scheduler
        self._faults = faults
        self._rows = rows

    def capture(self, target: TargetRef, spec: StepSpec, control: Control) -> dict[str, Any]:
        part, found = spec.settings["part"], {}
        for key in spec.instances:
            self._travel(key)
            if key in self._world.silent:
                raise PlatformError(f"{key} did not answer")
            found[key] = self._world.instances[key][part]
            self._log(control, Verb.CAPTURE, key, part, found[key], has_effect=False)
        return found

    def apply(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        return self._bring(Verb.APPLY, spec, dict.fromkeys(spec.instances, spec.release), control)

    def undo(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        return self._bring(Verb.UNDO, spec, {key: captured[key] for key in spec.instances}, control)

    def _bring(
        self, verb: Verb, spec: StepSpec, wanted: Mapping[str, str], control: Control
    ) -> Progress:
        part = spec.settings["part"]
        states = {
            key: self._bring_one(verb, key, part, release, control)
            for key, release in wanted.items()
        }
        failed = [key for key, state in states.items() if state == OutcomeState.FAILED]
        if failed:
            raise PlatformError(f"{', '.join(failed)}: exit status 1", permanent=True)
        if silent := [key for key, state in states.items() if state == OutcomeState.UNKNOWN]:
            return Running(f"{', '.join(silent)} did not answer", again_in=1.0)
        return Done()

    def _bring_one(
        self, verb: Verb, key: str, part: str, release: str, control: Control
    ) -> OutcomeState:
        self._travel(key)
        if key in self._world.silent:
            state = OutcomeState.UNKNOWN
        elif (verb, key, part) in self._world.broken:
            state = OutcomeState.FAILED
        elif self._world.instances[key][part] == release:
            state = OutcomeState.UNCHANGED
        else:
            self._faults.before_change(key)
            control.checkpoint()
            self._change(verb, key, part, release, control)
            state = OutcomeState.DONE
        control.report(key, InstanceOutcome(state))
        return state

    def _change(self, verb: Verb, key: str, part: str, release: str, control: Control) -> None:
        self._log(control, verb, key, part, release, has_effect=True)
        self._world.instances[key][part] = release
        self._faults.point(f"{key}: {part} is {release or 'nothing'} now")
        if self._faults.happens("lost_answer"):
            self._scheduler.note(f"{key}: the answer is lost")
            raise PlatformError(f"{key}: the connection was lost")
        control.log(key, f"{part} is {release}")

    def _travel(self, key: str) -> None:
        """A call takes its time, or more, or does not come there."""
        self._faults.point(f"a call to {key}")
        if self._faults.happens("falls_silent"):
            self._fall_silent(key)
        self._faults.call(key)

    def _fall_silent(self, key: str) -> None:
        self._world.silent.add(key)
        seconds = self._faults.between(0.5, 60)
        self._scheduler.note(f"{key} is silent for {seconds:.3f} s")
        self._scheduler.later(seconds, lambda: self._world.silent.discard(key))

    def _log(
        self, control: Control, verb: Verb, key: str, part: str, after: str, *, has_effect: bool
    ) -> None:
        assert isinstance(control, StepControl)
        task = self._scheduler.current
        assert task is not None
        lease_epoch, lease_until = self._rows.lease(control.lease.deployment_id)
        self._scheduler.time += 1
        call = Call(
            at=self._scheduler.time,
            worker=task.name,
            deployment=control.lease.deployment_id,
            epoch=control.lease.epoch,
            step=control.step_id,
            instance=key,
            verb=verb,
            part=part,
            before=self._world.instances[key][part],
            after=after,
            has_effect=has_effect,
            lease_epoch=lease_epoch,
            lease_until=lease_until,
            step_status=self._rows.step_status(control.step_id),
            undisturbed_since=task.process.disturbed_at,
        )
        self._world.calls.append(call)

    def preview(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Sequence[Change]:
        return ()


class Simulated(Platform):
    """Stands where SSH stands; it deploys in every way that can be rolled back."""

    name: ClassVar[str] = "SSH"
    label: ClassVar[str] = "Simulated"
    connector_model: ClassVar[type[BaseModel]] = Anything
    infrastructure_model: ClassVar[type[BaseModel]] = Anything
    deploys: ClassVar[frozenset[str]] = frozenset({"BASIC", "CANARY"})
    reverts: ClassVar[tuple[str, ...]] = ("The release",)
    leaves: ClassVar[tuple[str, ...]] = ()

    def __init__(self, world: World, scheduler: Scheduler, faults: Faults, rows: Rows) -> None:
        self._world = world
        self._scheduler = scheduler
        self._faults = faults
        self.steps = {KIND: Part(world, scheduler, faults, rows)}  # type: ignore[misc]

    def default_phases(self, workflow_type: str) -> list[dict[str, Any]]:
        return []

    def select(self, target: TargetRef, selection: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(selection.get("hosts", target.settings["hosts"]))

    def observe(self, target: TargetRef, instances: Sequence[str] = ()) -> Observation:
        self._faults.point("a look at the instances")
        self._faults.call("the platform")
        task = self._scheduler.current
        assert task is not None
        self._scheduler.time += 1
        self._world.looks.append(Look(self._scheduler.time, task.deployment, task.epoch))
        keys = instances or target.settings["hosts"]
        return Observation(tuple(self._seen(key) for key in keys))

    def _seen(self, key: str) -> ObservedInstance:
        if key in self._world.silent:
            return ObservedInstance(key, None, message=f"{key} did not answer")
        parts = self._world.instances[key]
        return ObservedInstance(key, identity(parts), version(parts), is_healthy=True)
