"""What goes over the wire to a cluster: remembered, and let go wrong, whichever cluster it is."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

import httpx


class Fault(Enum):
    """What becomes of a request."""

    LOST_REQUEST = "it never gets there"
    LOST_ANSWER = "it gets there, and its answer is lost"
    BUSY = "the cluster says that it has too much to do"
    ILL = "the cluster says that it is ill"


_STATUS = {Fault.BUSY: 429, Fault.ILL: 503}


@dataclass(frozen=True)
class Sent:
    """One request; `query` without a question mark."""

    method: str
    path: str
    query: str

    @property
    def is_watch(self) -> bool:
        return "watch=true" in self.query

    @property
    def is_change(self) -> bool:
        is_write = self.method != "GET" and not self.path.endswith("accessreviews")
        return is_write and not self.is_dry_run

    @property
    def is_dry_run(self) -> bool:
        return "dryRun=All" in self.query


@dataclass
class Wire:
    """`goes_wrong` is asked about each request; what was sent is in `sent`, in order."""

    sent: list[Sent] = field(default_factory=list)
    goes_wrong: Callable[[Sent], Fault | None] = lambda sent: None

    def around(self, transport: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
        return _Watched(self, transport)

    @property
    def changes(self) -> list[Sent]:
        return [each for each in self.sent if each.is_change]


class _Watched(httpx.AsyncBaseTransport):
    def __init__(self, wire: Wire, transport: httpx.AsyncBaseTransport) -> None:
        self._wire = wire
        self._transport = transport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        sent = Sent(request.method, request.url.path, request.url.query.decode())
        self._wire.sent.append(sent)
        fault = self._wire.goes_wrong(sent)
        if fault == Fault.LOST_REQUEST:
            raise httpx.ConnectError("connection refused", request=request)
        if fault in _STATUS:
            return httpx.Response(_STATUS[fault], json={"message": fault.value}, request=request)
        response = await self._transport.handle_async_request(request)
        if fault == Fault.LOST_ANSWER:
            await response.aread()
            raise httpx.ReadError("connection reset by peer", request=request)
        return response

    async def aclose(self) -> None:
        await self._transport.aclose()
