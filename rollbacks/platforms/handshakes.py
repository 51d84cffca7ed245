"""Closes connections that nobody else would: httpcore leaves one open whose TLS handshake is
cancelled, as when a worker is told to stop (it closes one whose handshake fails)."""

from collections.abc import Mapping
from typing import Any


class Closing:
    """The `trace` extension of one httpx request."""

    def __init__(self) -> None:
        self._connection: Any = None

    async def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        if event.endswith(".connect_tcp.complete"):
            self._connection = info["return_value"]
        elif event.endswith(".start_tls.failed") and self._connection is not None:
            await self._connection.aclose()
