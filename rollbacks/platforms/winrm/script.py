"""The step that runs a person's PowerShell on hosts."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel

from rollbacks.platforms import everywhere
from rollbacks.platforms.base import (
    Change,
    Control,
    Done,
    InstanceOutcome,
    OutcomeState,
    PlatformError,
    Progress,
    Step,
    StepSpec,
    TargetRef,
)
from rollbacks.platforms.hosts import environment_on
from rollbacks.platforms.winrm.access import Access, access_to
from rollbacks.platforms.winrm.places import Place, places_of
from rollbacks.platforms.winrm.scripts import Call
from rollbacks.platforms.winrm.sessions import Remote, ScriptFailed, entered
from rollbacks.platforms.winrm.settings import ScriptSettings

PAUSE_SECONDS = 2.0
KEPT_LINES = 200


class Script(Step):
    """Runs the script once on each host, all at the same time; undo runs the undo script.

    A host does not show whether a script has run. So a call never asks to be called again: it waits
    for silent hosts itself (`patience`), and what goes wrong is lasting. Only when a worker dies
    does its successor run the script again, on every host: scripts should bear being repeated.
    """

    kind: ClassVar[str] = "winrm.script"
    label: ClassVar[str] = "Script"
    settings_model: ClassVar[type[BaseModel]] = ScriptSettings

    def capture(self, target: TargetRef, spec: StepSpec, control: Control) -> dict[str, Any]:
        """Nothing of a script's effects is known, so there is nothing to keep."""
        for place in places_of(target, spec.instances):
            _prepared(place, target, spec, is_undo=False)
        return {}

    def apply(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        return _run(_settings(spec).command, target, spec, control, is_undo=False)

    def undo(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        command = _settings(spec).undo_command
        if command is not None:
            return _run(command, target, spec, control, is_undo=True)
        for name in spec.instances:
            control.report(name, InstanceOutcome(OutcomeState.UNCHANGED, "Has no undo command"))
        return Done("no undo command")

    def preview(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Sequence[Change]:
        settings = _settings(spec)
        command = settings.command if captured is None else settings.undo_command
        if command is None:
            return ()
        return [Change(name, "script", "", command) for name in spec.instances]


def _settings(spec: StepSpec) -> ScriptSettings:
    return ScriptSettings.model_validate(dict(spec.settings))


def _prepared(place: Place, target: TargetRef, spec: StepSpec, *, is_undo: bool) -> Call:
    """Variables travel as data; a script's text is the person's and nothing else."""
    found = environment_on(place.name, place.variables, place.folder, target, spec, is_undo=is_undo)
    listed = [{"name": name, "value": value} for name, value in found.items()]
    directory = _settings(spec).working_directory or ""
    return Call("prepare_script", {"Variables": json.dumps(listed), "Directory": directory})


def _run(
    command: str, target: TargetRef, spec: StepSpec, control: Control, *, is_undo: bool
) -> Progress:
    settings, access = _settings(spec), access_to(target)
    places = places_of(target, spec.instances)
    prepared = {place.name: _prepared(place, target, spec, is_undo=is_undo) for place in places}

    async def visit(place: Place) -> None:
        async def turn() -> InstanceOutcome:
            mine = prepared[place.name]
            return await _patiently(place, access, mine, command, settings, control)

        await everywhere.reported(place, control, turn)

    size = access.connector.concurrency
    _, faults = everywhere.run(everywhere.at_each(places, size, visit), control, size)
    return everywhere.concluded(faults, f"{len(places)} hosts")


async def _patiently(
    place: Place,
    access: Access,
    prepared: Call,
    command: str,
    settings: ScriptSettings,
    control: Control,
) -> InstanceOutcome:
    """Try to get in for as long as patience lasts; once in, run it a single time: what goes wrong
    from then on is lasting."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + settings.patience
    while True:
        control.report(place.name, InstanceOutcome(OutcomeState.RUNNING, "Connecting"))
        try:
            async with entered(place, access, control) as remote:
                await remote.call(prepared)
                return await _once(place, remote, command, settings, control)
        except PlatformError as fault:
            if fault.permanent:
                raise
            if loop.time() + PAUSE_SECONDS >= deadline:
                raise PlatformError(f"{fault}; the script did not run", permanent=True) from None
            control.report(place.name, everywhere.failed(fault))
        await asyncio.sleep(PAUSE_SECONDS)


async def _once(
    place: Place, remote: Remote, command: str, settings: ScriptSettings, control: Control
) -> InstanceOutcome:
    control.checkpoint()
    control.report(place.name, InstanceOutcome(OutcomeState.RUNNING, "Running the script"))
    try:
        said = await remote.run(command, settings.time_limit)
        code = await remote.call(Call("exit_code", {}))
    except ScriptFailed as failed:
        _log(control, place, failed.output)
        raise PlatformError(f"the script failed: {failed}", permanent=True) from None
    except PlatformError as lost:
        raise PlatformError(
            f"{lost}; whether the script ended is not known", permanent=True
        ) from None
    _log(control, place, said)
    if code != "0":
        raise PlatformError(f"the script ran a program that ended with {code}", permanent=True)
    return InstanceOutcome(OutcomeState.DONE, "The script ended well")


def _log(control: Control, place: Place, said: str) -> None:
    if text := said.rstrip():
        control.log(place.name, "\n".join(text.splitlines()[-KEPT_LINES:]))
