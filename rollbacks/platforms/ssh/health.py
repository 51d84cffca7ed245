"""Finds out whether a host is well: over HTTP from the worker, or by a command on the host."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack

import httpx

from rollbacks.platforms.base import PlatformError
from rollbacks.platforms.ssh import commands
from rollbacks.platforms.ssh.connection import CommandTimeout, Remote
from rollbacks.platforms.ssh.places import Place
from rollbacks.platforms.ssh.settings import HealthCheck

EVERY_SECONDS = 1.0
ATTEMPT_SECONDS = 10.0
MOST_BYTES = 2**20


class Asking:
    """One HTTP client for all hosts of a call, made when the first needs it."""

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._client: httpx.AsyncClient | None = None

    async def client(self) -> httpx.AsyncClient:
        """Proxies of the worker are not used: the question is whether the host answers."""
        if self._client is None:
            self._client = httpx.AsyncClient(
                trust_env=False,
                timeout=ATTEMPT_SECONDS,
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
            )
            self._stack.push_async_callback(self._client.aclose)
        return self._client

    async def close(self) -> None:
        await self._stack.aclose()


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
            wrong = await _ask(await asking.client(), place.fill(check.url), check, limit)
        else:
            wrong = await _try(remote, check.command or "", place, environment, limit)
        if not wrong:
            return
        if loop.time() + EVERY_SECONDS >= deadline:
            raise PlatformError(f"{wrong} (tried for {seconds:g} s)", permanent=True)
        await asyncio.sleep(EVERY_SECONDS)


async def _ask(client: httpx.AsyncClient, url: str, check: HealthCheck, limit: float) -> str:
    """What was wrong with the answer; empty where it was right."""
    try:
        async with asyncio.timeout(limit), client.stream("GET", url) as answer:
            if answer.status_code != check.expect_status:
                return f"health check answered {answer.status_code}, expected {check.expect_status}"
            if check.expect_text and check.expect_text not in await _text(answer):
                return f"health check answered without {check.expect_text!r}"
            return ""
    except httpx.InvalidURL:
        raise PlatformError(f"{url} is no URL that can be asked", permanent=True) from None
    except (TimeoutError, httpx.TimeoutException):
        return f"health check gave no answer within {limit:.0f} s"
    except httpx.HTTPError as error:
        return f"health check gave no answer ({type(error).__name__})"


async def _text(answer: httpx.Response) -> str:
    body = bytearray()
    async for piece in answer.aiter_bytes():
        body += piece
        if len(body) >= MOST_BYTES:
            break
    return body.decode(answer.encoding or "utf-8", errors="replace")


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
