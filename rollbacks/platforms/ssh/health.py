"""Finds out whether a host is well: over HTTP from the worker, or by a command on the host."""

import asyncio
from collections.abc import Mapping

from rollbacks.platforms.asking import Asking
from rollbacks.platforms.base import PlatformError
from rollbacks.platforms.ssh import commands
from rollbacks.platforms.ssh.connection import CommandTimeout, Remote
from rollbacks.platforms.ssh.places import Place
from rollbacks.platforms.ssh.settings import HealthCheck

EVERY_SECONDS = 1.0
ATTEMPT_SECONDS = 10.0


async def until_healthy(
    place: Place,
    remote: Remote,
    check: HealthCheck,
    seconds: float,
    asking: Asking,
    environment: Mapping[str, str],
) -> None:
    """Ask until the answer is right; a lasting PlatformError with the last answer otherwise."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while True:
        limit = min(ATTEMPT_SECONDS, max(1.0, deadline - loop.time()))
        if check.url is not None:
            wrong = await asking.ask(place.fill(check.url), check, limit)
        else:
            wrong = await _try(remote, check.command or "", place, environment, limit)
        if not wrong:
            return
        if loop.time() + EVERY_SECONDS >= deadline:
            raise PlatformError(f"{wrong} (tried for {seconds:g} s)", permanent=True)
        await asyncio.sleep(EVERY_SECONDS)


async def _try(
    remote: Remote, command: str, place: Place, environment: Mapping[str, str], limit: float
) -> str:
    try:
        answer = await remote.run(
            commands.script(command, place.directory, environment), limit=limit
        )
    except CommandTimeout:
        return f"health check did not end within {limit:.0f} s"
    return f"health check {answer.failure}" if answer.failure else ""
