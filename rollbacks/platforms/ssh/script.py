"""The step that runs a person's command on hosts."""

import asyncio
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
from rollbacks.platforms.ssh import commands
from rollbacks.platforms.ssh.access import access_to
from rollbacks.platforms.ssh.connection import CommandTimeout, entered
from rollbacks.platforms.ssh.places import Place, environment_of, places_of
from rollbacks.platforms.ssh.settings import ScriptSettings
from rollbacks.platforms.ssh.visits import log_output
from rollbacks.platforms.ssh.ways import Way, way_for

PAUSE_SECONDS = 2.0


class Script(Step):
    """Runs the command once on each host, all at the same time; undo runs the undo command.

    A host does not show whether a script has run. So a call never asks to be called again: it waits
    for silent hosts itself (`patience`), and what goes wrong is lasting. Only when a worker dies
    does its successor run the script again, on every host: scripts should bear being repeated.
    """

    kind: ClassVar[str] = "ssh.script"
    label: ClassVar[str] = "Script"
    settings_model: ClassVar[type[BaseModel]] = ScriptSettings

    def capture(self, target: TargetRef, spec: StepSpec, control: Control) -> dict[str, Any]:
        """Nothing of a script's effects is known, so there is nothing to keep."""
        for place in places_of(target, spec.instances):
            environment_of(place, target, spec, is_undo=False)
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


def _run(
    command: str, target: TargetRef, spec: StepSpec, control: Control, *, is_undo: bool
) -> Progress:
    settings, access = _settings(spec), access_to(target)
    places = places_of(target, spec.instances)
    lines = {
        place.name: commands.script(
            command,
            _working_directory(place, settings),
            environment_of(place, target, spec, is_undo=is_undo),
        )
        for place in places
    }

    async def go() -> dict[str, PlatformError]:
        async with way_for(access, fresh=True) as way:

            async def visit(place: Place) -> None:
                async def turn() -> InstanceOutcome:
                    return await _patiently(place, way, lines[place.name], settings, control)

                await everywhere.reported(place, control, turn)

            _, faults = await everywhere.at_each(places, access.concurrency, visit)
            return faults

    faults = everywhere.run(go(), control, access.concurrency)
    progress = everywhere.concluded(faults, f"{len(places)} hosts")
    for pair in set(spec.instances) - set(lines):
        control.report(pair, InstanceOutcome(OutcomeState.DONE, "The script ended well"))
    return progress


def _working_directory(place: Place, settings: ScriptSettings) -> str:
    wanted = settings.working_directory or ""
    return wanted if not wanted or wanted.startswith("/") else f"{place.directory}/{wanted}"


async def _patiently(
    place: Place, way: Way, line: str, settings: ScriptSettings, control: Control
) -> InstanceOutcome:
    """Try to get in for as long as patience lasts; once in, run it a single time."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + settings.patience
    while True:
        control.report(place.name, InstanceOutcome(OutcomeState.RUNNING, "Connecting"))
        is_in = False
        try:
            async with entered(place, way, control) as remote:
                is_in = True
                return await _once(place, remote, line, settings, control)
        except PlatformError as fault:
            if is_in or fault.permanent:
                raise
            if loop.time() + PAUSE_SECONDS >= deadline:
                raise PlatformError(f"{fault}; the script did not run", permanent=True) from None
            control.report(place.name, everywhere.failed(fault))
            way.again()
        await asyncio.sleep(PAUSE_SECONDS)


async def _once(
    place: Place, remote: Any, line: str, settings: ScriptSettings, control: Control
) -> InstanceOutcome:
    control.checkpoint()
    control.report(place.name, InstanceOutcome(OutcomeState.RUNNING, "Running the script"))
    try:
        answer = await remote.run(line, limit=settings.time_limit)
    except CommandTimeout as late:
        log_output(control, place.name, late.answer)
        raise PlatformError(f"the script: {late}; it may still run", permanent=True) from None
    except PlatformError as lost:
        control.checkpoint()  # where that is the reason, it is the one to tell
        raise PlatformError(
            f"{lost}; whether the script ended is not known", permanent=True
        ) from None
    log_output(control, place.name, answer)
    if answer.failure:
        raise PlatformError(f"the script {answer.failure}", permanent=True)
    return InstanceOutcome(OutcomeState.DONE, "The script ended well")
