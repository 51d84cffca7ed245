"""Asks a host over HTTP, from the worker, whether it is well."""

import asyncio
from contextlib import AsyncExitStack
from typing import Protocol

import httpx

from rollbacks.platforms.base import PlatformError
from rollbacks.platforms.handshakes import Closing

ATTEMPT_SECONDS = 10.0
MOST_BYTES = 2**20


class Expected(Protocol):
    """What a good answer has."""

    @property
    def expect_status(self) -> int: ...

    @property
    def expect_text(self) -> str | None: ...


class Asking:
    """One HTTP client for all hosts of a call, made when the first needs it."""

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._client: httpx.AsyncClient | None = None

    async def ask(self, url: str, expected: Expected, limit: float) -> str:
        """What was wrong with the answer; empty where it was right. `limit`: seconds."""
        return await _ask(await self._opened(), url, expected, limit)

    async def close(self) -> None:
        await self._stack.aclose()

    async def _opened(self) -> httpx.AsyncClient:
        """Proxies of the worker are not used: the question is whether the host answers."""
        if self._client is None:
            self._client = httpx.AsyncClient(
                trust_env=False,
                timeout=ATTEMPT_SECONDS,
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
            )
            self._stack.push_async_callback(self._client.aclose)
        return self._client


async def _ask(client: httpx.AsyncClient, url: str, check: Expected, limit: float) -> str:
    try:
        sent = client.stream("GET", url, extensions={"trace": Closing()})
        async with asyncio.timeout(limit), sent as answer:
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
