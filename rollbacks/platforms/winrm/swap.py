"""The step of blue/green that sends everybody to the other one of a pair, and back."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from rollbacks.platforms import everywhere
from rollbacks.platforms.asking import Asking
from rollbacks.platforms.base import (
    Change,
    Control,
    Inspection,
    InstanceOutcome,
    OutcomeState,
    PlatformError,
    Progress,
    Step,
    StepSpec,
    TargetRef,
)
from rollbacks.platforms.winrm import inspecting, pairs
from rollbacks.platforms.winrm.access import access_to
from rollbacks.platforms.winrm.calls import acted, captures
from rollbacks.platforms.winrm.health import until_healthy
from rollbacks.platforms.winrm.pairs import look_at
from rollbacks.platforms.winrm.places import Place, places_of
from rollbacks.platforms.winrm.scripts import Call
from rollbacks.platforms.winrm.sessions import Remote, ScriptFailed
from rollbacks.platforms.winrm.settings import InstallSettings
from rollbacks.platforms.winrm.states import Binding, UnitState
from rollbacks.platforms.winrm.units import Directory, Unit, WindowsService, swap


class Role(BaseModel):
    """What makes a unit the serving or the waiting one: bindings of a site; mode of a service."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bindings: tuple[Binding, ...] = ()
    mode: str = ""
    runs: bool = True


class Roles(BaseModel):
    """Of one host's pair when it was captured, by the units' titles."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    live: str
    idle: str
    live_role: Role
    idle_role: Role

    def of(self, title: str, *, swapped: bool) -> Role:
        return self.live_role if (title == self.live) != swapped else self.idle_role


class Swap(Step):
    """Exchanges the bindings of the two sites in one commit; of two services, the waiting one is
    started once the serving one has stopped, and start modes are exchanged."""

    kind: ClassVar[str] = "winrm.swap"
    label: ClassVar[str] = "Swap"
    settings_model: ClassVar[type[BaseModel]] = InstallSettings

    def capture(self, target: TargetRef, spec: StepSpec, control: Control) -> dict[str, Any]:
        async def look(remote: Remote, place: Place) -> Roles:
            serving, waiting = await pairs.both(remote, place)
            return Roles(
                live=serving.unit.title,
                idle=waiting.unit.title,
                live_role=role_in(serving.state),
                idle_role=role_in(waiting.state),
            )

        found = captures(target, spec, look, control)
        return {"hosts": {name: each.model_dump() for name, each in found.items()}}

    def apply(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        return _go(target, spec, captured, control, swapped=True)

    def undo(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        known = spec.without_newcomers
        for name in spec.instances:
            if name not in known.instances:
                said = "Came later: nothing was swapped there"
                control.report(name, InstanceOutcome(OutcomeState.UNCHANGED, said))
        return _go(target, known, captured, control, swapped=False)

    def preview(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Sequence[Change]:
        if captured is None:
            return [
                Change(name, "serves", "the one of the pair that serves now", "the other one")
                for name in spec.instances
            ]
        names = spec.without_newcomers.instances
        roles = {name: roles_in(captured, name) for name in names}
        return [Change(name, "serves", each.idle, each.live) for name, each in roles.items()]

    def inspect(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Inspection:
        if captured is None:
            return inspecting.of_pairs(target, spec, {})
        known = spec.without_newcomers
        live = {name: roles_in(captured, name).idle for name in known.instances}
        return inspecting.of_pairs(target, known, live)


def role_in(state: UnitState) -> Role:
    return Role(bindings=state.bindings, mode=state.mode, runs=state.mode == "" or state.runs)


def roles_in(captured: Mapping[str, Any], name: str) -> Roles:
    """A host's part of a capture; PlatformError where it has none."""
    try:
        return Roles.model_validate(captured["hosts"][name])
    except (KeyError, TypeError, ValueError):
        raise PlatformError(
            f"{name} was not looked at before this deployment, so it cannot be brought back.",
            permanent=True,
        ) from None


def _go(
    target: TargetRef,
    spec: StepSpec,
    captured: Mapping[str, Any],
    control: Control,
    *,
    swapped: bool,
) -> Progress:
    settings = InstallSettings.model_validate(dict(spec.settings))
    places, access = places_of(target, spec.instances), access_to(target)
    roles = {place.name: _same_pair(place, roles_in(captured, place.name)) for place in places}

    async def go() -> Progress:
        asking = Asking()

        async def turn(remote: Remote, place: Place) -> InstanceOutcome:
            mine = roles[place.name]
            changed = await _take_roles(remote, place, mine, control, swapped=swapped)
            serving = mine.idle if swapped else mine.live
            unit = next(each for each in _units(place) if each.title == serving)
            await until_healthy(
                place,
                lambda: look_at(remote, unit),
                settings.health_check,
                settings.health_timeout,
                asking,
            )
            state = OutcomeState.DONE if changed else OutcomeState.UNCHANGED
            return InstanceOutcome(state, f"{everywhere.sentence(serving)} serves")

        try:
            return await acted(places, access, control, turn)
        finally:
            await asking.close()

    return everywhere.run(go(), control, access.connector.concurrency)


async def _take_roles(
    remote: Remote, place: Place, roles: Roles, control: Control, *, swapped: bool
) -> bool:
    """Give each unit of the pair its role; whether anything was changed."""
    wanted = {each: roles.of(each.title, swapped=swapped) for each in _units(place)}
    now = {each: role_in(await look_at(remote, each)) for each in wanted}
    calls = _calls(wanted, now)
    for call in calls:
        control.checkpoint()
        control.report(place.name, InstanceOutcome(OutcomeState.RUNNING, "Swapping"))
        try:
            await remote.call(call)
        except ScriptFailed as said:
            raise ScriptFailed(f"swapping failed: {said}", permanent=True) from None
    return bool(calls)


def _calls(wanted: Mapping[Unit, Role], now: Mapping[Unit, Role]) -> list[Call]:
    """What is missing; of services, who is to stop goes first: two of them never run at once."""
    if wanted == now:
        return []
    first, second = wanted
    if isinstance(first, Directory) and isinstance(second, Directory):
        return [swap(first, _json(wanted[first]), second, _json(wanted[second]))]
    services = [each for each in wanted if isinstance(each, WindowsService)]
    changing = [each for each in services if wanted[each] != now[each]]
    return [
        each.set(wanted[each].mode, runs=wanted[each].runs)
        for each in sorted(changing, key=lambda each: wanted[each].runs)
    ]


def _json(role: Role) -> str:
    return json.dumps([each.model_dump() for each in role.bindings])


def _units(place: Place) -> tuple[Unit, Unit]:
    assert place.twin is not None, "checked before anything is done"
    return place.unit, place.twin


def _same_pair(place: Place, roles: Roles) -> Roles:
    titles = {each.title for each in (place.unit, place.twin) if each}
    if titles != {roles.live, roles.idle}:
        raise PlatformError(
            f"{place.name} was swapped between {roles.live} and {roles.idle}, which the "
            "infrastructure no longer says; nothing was changed",
            permanent=True,
        )
    return roles
