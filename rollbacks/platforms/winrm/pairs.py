"""Which of a host's two units serves everybody, and which waits; the looks that say so."""

from dataclasses import dataclass

from rollbacks.platforms.base import PlatformError
from rollbacks.platforms.winrm.places import Place
from rollbacks.platforms.winrm.sessions import Remote
from rollbacks.platforms.winrm.states import UnitState, unit_in
from rollbacks.platforms.winrm.units import Directory, Unit


@dataclass(frozen=True)
class Seen:
    """A unit, and how it was at the look."""

    unit: Unit
    state: UnitState


async def look_at(remote: Remote, unit: Unit) -> UnitState:
    """How it is now; PlatformError says why it cannot be acted on."""
    return unit_in(await remote.call(unit.look()), unit)


async def live(remote: Remote, place: Place) -> Seen:
    """What serves everybody."""
    if place.twin is None:
        return Seen(place.unit, await look_at(remote, place.unit))
    return (await both(remote, place))[0]


async def idle(remote: Remote, place: Place) -> Seen:
    """What waits, beside what serves everybody."""
    return (await both(remote, place))[1]


async def both(remote: Remote, place: Place) -> tuple[Seen, Seen]:
    """The serving one first; PlatformError where there is no pair, or it cannot be told."""
    if place.twin is None:
        raise PlatformError(
            "blue/green needs a second one to swap with: give the infrastructure stage_site and "
            "production_binding, or stage_windows_service",
            permanent=True,
        )
    pair = [Seen(each, await look_at(remote, each)) for each in (place.unit, place.twin)]
    serving = [each for each in pair if _serves(each, place)]
    if len(serving) != 1 and not isinstance(place.unit, Directory):
        serving = [each for each in pair if each.state.mode == "Auto"]
    if len(serving) != 1:
        raise PlatformError(_undecided(place), permanent=True)
    waiting = pair[1] if serving[0] is pair[0] else pair[0]
    return serving[0], waiting


def _serves(seen: Seen, place: Place) -> bool:
    if isinstance(seen.unit, Directory):
        return any(each.information == place.production_binding for each in seen.state.bindings)
    return seen.state.runs


def _undecided(place: Place) -> str:
    assert place.twin is not None
    names = f"{place.unit.title} and {place.twin.title}"
    if isinstance(place.unit, Directory):
        return f"of {names}, one must have the binding {place.production_binding}; give it to one"
    return f"of {names}, one must run, or start by itself; start the one that serves"
