"""Goes to all places of a call at the same time, over a connection to each."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from rollbacks.platforms import everywhere
from rollbacks.platforms.base import Control, InstanceOutcome, PlatformError
from rollbacks.platforms.ssh.access import Access
from rollbacks.platforms.ssh.connection import Remote, entered
from rollbacks.platforms.ssh.places import Place
from rollbacks.platforms.ssh.ways import way_for

Result = TypeVar("Result")
Look = Callable[[Remote, Place], Awaitable[Result]]
Faults = dict[str, PlatformError]


def looks(
    places: Sequence[Place], access: Access, look: Look[Result], control: Control | None
) -> tuple[dict[str, Result], Faults]:
    """What each shows, and what went wrong with the others, by name."""

    async def go() -> tuple[dict[str, Result], Faults]:
        async with way_for(access) as way:

            async def visit(place: Place) -> Result:
                async with entered(place, way, control) as remote:
                    return await look(remote, place)

            return await everywhere.at_each(places, access.concurrency, visit)

    return everywhere.run(go(), control, access.concurrency)


def captured(
    places: Sequence[Place], access: Access, look: Look[Result], control: Control
) -> dict[str, Result]:
    """What every one shows; PlatformError if one of them cannot be acted on."""
    found, faults = looks(places, access, look, control)
    for name, fault in faults.items():
        control.report(name, everywhere.failed(fault))
    if faults:
        raise everywhere.summed(faults)
    return {name: found[name] for name in sorted(found)}


async def acted(
    places: Sequence[Place], access: Access, control: Control, act: Look[InstanceOutcome]
) -> Faults:
    """Each one's turn, reported the moment it is known; what went wrong, by name."""
    async with way_for(access) as way:

        async def visit(place: Place) -> None:
            async def turn() -> InstanceOutcome:
                async with entered(place, way, control) as remote:
                    return await act(remote, place)

            await everywhere.reported(place, control, turn)

        _, faults = await everywhere.at_each(places, access.concurrency, visit)
    return faults
