"""Finds out whether a host is well: over HTTP from the worker, or by a command on the host."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

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

    async def ask(limit: float) -> str:
        return await wrong_with(place, remote, check, asking, environment, limit)

    await until_right(ask, seconds)


async def until_right(ask: Callable[[float], Awaitable[str]], seconds: float) -> None:
    """`ask` says within so many seconds what is wrong; a lasting PlatformError says it last."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while True:
        wrong = await ask(min(ATTEMPT_SECONDS, max(1.0, deadline - loop.time())))
        if not wrong:
            return
        if loop.time() + EVERY_SECONDS >= deadline:
            raise PlatformError(f"{wrong} (tried for {seconds:g} s)", permanent=True)
        await asyncio.sleep(EVERY_SECONDS)


async def wrong_with(
    place: Place,
    remote: Remote,
    check: HealthCheck,
    asking: Asking,
    environment: Mapping[str, str],
    limit: float = ATTEMPT_SECONDS,
) -> str:
    """What one question is answered with, where that is wrong."""
    if check.url is not None:
        return await asking.ask(place.fill(check.url), check, limit)
    line = commands.script(check.command or "", place.directory, environment)
    try:
        answer = await remote.run(line, limit=limit)
    except CommandTimeout:
        return f"health check did not end within {limit:.0f} s"
    return f"health check {answer.failure}" if answer.failure else ""
