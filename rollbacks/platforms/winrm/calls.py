"""Goes to all hosts of a step at the same time, in a session on each."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from rollbacks.platforms import everywhere
from rollbacks.platforms.base import (
    Control,
    InstanceOutcome,
    PlatformError,
    Progress,
    StepSpec,
    TargetRef,
)
from rollbacks.platforms.winrm.access import Access, access_to
from rollbacks.platforms.winrm.places import Place, places_of
from rollbacks.platforms.winrm.sessions import Remote, entered

Result = TypeVar("Result")
Look = Callable[[Remote, Place], Awaitable[Result]]


def looks(
    target: TargetRef, names: Sequence[str] | None, look: Look[Result], control: Control | None
) -> tuple[dict[str, Result], dict[str, PlatformError]]:
    """What each host shows, and what went wrong with the others, by name."""
    places, access = places_of(target, names), access_to(target)

    async def visit(place: Place) -> Result:
        async with entered(place, access, control) as remote:
            return await look(remote, place)

    size = access.connector.concurrency
    return everywhere.run(everywhere.at_each(places, size, visit), control, size)


def captures(
    target: TargetRef, spec: StepSpec, look: Look[Result], control: Control
) -> dict[str, Result]:
    """What every host shows; PlatformError if one of them cannot be acted on."""
    found, faults = looks(target, spec.instances, look, control)
    for name, fault in faults.items():
        control.report(name, everywhere.failed(fault))
    if faults:
        raise everywhere.summed(faults)
    return {name: found[name] for name in sorted(found)}


async def acted(
    places: Sequence[Place], access: Access, control: Control, act: Look[InstanceOutcome]
) -> Progress:
    """Each host's turn, reported the moment it is known."""

    async def visit(place: Place) -> None:
        async def turn() -> InstanceOutcome:
            async with entered(place, access, control) as remote:
                return await act(remote, place)

        await everywhere.reported(place, control, turn)

    _, faults = await everywhere.at_each(places, access.connector.concurrency, visit)
    return everywhere.concluded(faults, f"{len(places)} hosts")
