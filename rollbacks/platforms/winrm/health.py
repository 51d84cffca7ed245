"""Finds out whether a host is well: what serves must run, and a URL must answer."""

import asyncio
from collections.abc import Awaitable, Callable

from rollbacks.platforms.asking import ATTEMPT_SECONDS, Asking
from rollbacks.platforms.base import PlatformError
from rollbacks.platforms.winrm.places import Place
from rollbacks.platforms.winrm.settings import HealthCheck
from rollbacks.platforms.winrm.states import UnitState

EVERY_SECONDS = 1.0


async def until_healthy(
    place: Place,
    look: Callable[[], Awaitable[UnitState]],
    check: HealthCheck | None,
    seconds: float,
    asking: Asking,
) -> None:
    """Ask until all is well; a lasting PlatformError with the last trouble otherwise."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while True:
        wrong = (await look()).trouble
        if not wrong and check is not None:
            limit = min(ATTEMPT_SECONDS, max(1.0, deadline - loop.time()))
            wrong = await asking.ask(place.fill(check.url), check, limit)
        if not wrong:
            return
        if loop.time() + EVERY_SECONDS >= deadline:
            raise PlatformError(f"{wrong} (tried for {seconds:g} s)", permanent=True)
        await asyncio.sleep(EVERY_SECONDS)
