"""How hosts are reached: straight, or through jump hosts, which all hosts of a call share."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncssh

from rollbacks.platforms import everywhere
from rollbacks.platforms.ssh.access import Access, Hop
from rollbacks.platforms.ssh.entering import End, Through, closed, connection_to
from rollbacks.platforms.ssh.places import Place
from rollbacks.platforms.ssh.sockets import GuardedSocket

# Between calls nobody sees what becomes of a connection.
IDLE_SECONDS = 15.0
MOST_IDLE = 200  # files may be short


class Way:
    """The way to all hosts of one call, or of all calls of an execution; closed by `way_for`.

    Connections that nobody uses wait in `_idle` for who comes next, as long as that is soon.
    """

    def __init__(self, access: Access, *, keeps: bool = False) -> None:
        self.access = access
        self._keeps = keeps
        self._idle: dict[tuple[str, str], tuple[float, Through]] = {}
        self._hops: list[asyncssh.SSHClientConnection] = []
        self._entering: asyncio.Task[Through] | None = None

    async def open(self, place: Place) -> tuple[asyncssh.SSHClientConnection, GuardedSocket]:
        """A connection to the host. Raises PlatformError."""
        if kept := await self._kept(place):
            return kept.connection, kept.below
        end = End(place.address, place.port, place.where, self.access.identity)
        through = await self._shared() if self.access.hops else None
        opened = await connection_to(end, through, self.access.connect_timeout)
        return opened.connection, opened.below

    async def leave(
        self, place: Place, connection: asyncssh.SSHClientConnection, below: GuardedSocket
    ) -> None:
        """Nobody needs it now."""
        key = (place.name, place.where)
        if self._keeps and key not in self._idle and len(self._idle) < MOST_IDLE:
            self._idle[key] = (time.monotonic(), Through(connection, below))
            return
        connection.close()
        await closed(connection)

    async def _kept(self, place: Place) -> Through | None:
        """What was left a moment ago, if it still lives; read first what came in between."""
        found = self._idle.pop((place.name, place.where), None)
        if found is None:
            return None
        since, through = found
        for _ in range(4):
            await asyncio.sleep(0)
        if time.monotonic() - since <= IDLE_SECONDS and not through.connection.is_closed():
            return through
        through.connection.abort()
        await closed(through.connection)
        return None

    def again(self) -> None:
        """Try anew what was tried in vain; otherwise the first failure counts for all hosts."""
        task = self._entering
        if task and task.done() and (task.cancelled() or task.exception()):
            self._entering = None

    async def close(self) -> None:
        idle = [through.connection for _, through in self._idle.values()]
        for connection in idle:
            connection.close()
        await asyncio.gather(*(closed(connection) for connection in idle))
        if self._entering is not None:
            self._entering.cancel()
            await asyncio.gather(self._entering, return_exceptions=True)
        for connection in reversed(self._hops):
            connection.close()
            await closed(connection)

    async def _shared(self) -> Through:
        """The last jump host, entered by whoever comes first; all others wait for that."""
        if self._entering is None or self._is_lost(self._entering):
            self._entering = asyncio.create_task(self._enter())
        return await asyncio.shield(self._entering)

    def _is_lost(self, task: "asyncio.Task[Through]") -> bool:
        return task.done() and not task.exception() and task.result().connection.is_closed()

    async def _enter(self) -> Through:
        through: Through | None = None
        for hop in self.access.hops:
            through = await connection_to(_of_hop(hop), through, self.access.connect_timeout)
            self._hops.append(through.connection)
        assert through is not None, "asked for only where there are hops"
        return through


@asynccontextmanager
async def way_for(access: Access, *, fresh: bool = False) -> AsyncIterator[Way]:
    """The way to hosts: the one of the execution that this call is part of, or one of its own,
    also where nothing may be left over from earlier calls (`fresh`)."""
    stay = None if fresh else everywhere.stay()
    if stay is not None:
        yield _way_in(stay, access)
        return
    way = Way(access)
    try:
        yield way
    finally:
        await way.close()


def _way_in(stay: everywhere.Stay, access: Access) -> Way:
    key = (Way, access.mark)
    if key not in stay.left:
        way = Way(access, keeps=True)
        stay.left[key] = way
        stay.endings.append(way.close)
    found: Way = stay.left[key]
    found.again()
    return found


def _of_hop(hop: Hop) -> End:
    host = f"[{hop.address}]" if ":" in hop.address else hop.address
    return End(hop.address, hop.port, f"the jump host {host}:{hop.port}", hop.identity)
