"""How hosts are reached: straight, or through jump hosts, which all hosts of a call share.

Nobody's key is trusted that is not in the known hosts, on no stretch of the way.
"""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncssh

from rollbacks.platforms import everywhere
from rollbacks.platforms.base import PlatformError
from rollbacks.platforms.ssh.access import Access, Hop, Identity
from rollbacks.platforms.ssh.places import Place
from rollbacks.platforms.ssh.sockets import GuardedSocket, connected

CLOSE_SECONDS = 2.0
# Kinds that known_hosts has for the host go first. Without the others a host with a new kind of key
# would just hang up; with them it shows its key, and is refused for it.
HOST_KEY_ALGORITHMS = "+ssh-ed25519,ecdsa-sha2-nistp*,rsa-sha2-*"
KEEPALIVE_SECONDS = 5.0
KEEPALIVES_MISSED = 2
# Packets are encrypted by one call of OpenSSL's each, instead of the five that ChaCha20 takes.
ENCRYPTION_ALGORITHMS = "^aes128-gcm@openssh.com,aes256-gcm@openssh.com"
# Between calls nobody sees what becomes of a connection.
IDLE_SECONDS = 15.0
MOST_IDLE = 200  # files may be short


@dataclass(frozen=True)
class _Through:
    """A connection to go on from, and the worker's own socket at its beginning."""

    connection: asyncssh.SSHClientConnection
    below: GuardedSocket


@dataclass(frozen=True)
class _End:
    """Whom we connect to, and how people call it."""

    address: str
    port: int
    where: str
    identity: Identity


class Way:
    """The way to all hosts of one call, or of all calls of an execution; closed by `way_for`.

    Connections that nobody uses wait in `_idle` for who comes next, as long as that is soon.
    """

    def __init__(self, access: Access, *, keeps: bool = False) -> None:
        self.access = access
        self._keeps = keeps
        self._idle: dict[tuple[str, str], tuple[float, _Through]] = {}
        self._hops: list[asyncssh.SSHClientConnection] = []
        self._entering: asyncio.Task[_Through] | None = None

    async def open(self, place: Place) -> tuple[asyncssh.SSHClientConnection, GuardedSocket]:
        """A connection to the host. Raises PlatformError."""
        if kept := await self._kept(place):
            return kept.connection, kept.below
        end = _End(place.address, place.port, place.where, self.access.identity)
        through = await self._shared() if self.access.hops else None
        opened = await self._open(end, through)
        return opened.connection, opened.below

    async def leave(
        self, place: Place, connection: asyncssh.SSHClientConnection, below: GuardedSocket
    ) -> None:
        """Nobody needs it now."""
        key = (place.name, place.where)
        if self._keeps and key not in self._idle and len(self._idle) < MOST_IDLE:
            self._idle[key] = (time.monotonic(), _Through(connection, below))
            return
        connection.close()
        await closed(connection)

    async def _kept(self, place: Place) -> _Through | None:
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

    async def _shared(self) -> _Through:
        """The last jump host, entered by whoever comes first; all others wait for that."""
        if self._entering is None or self._is_lost(self._entering):
            self._entering = asyncio.create_task(self._enter())
        return await asyncio.shield(self._entering)

    def _is_lost(self, task: "asyncio.Task[_Through]") -> bool:
        return task.done() and not task.exception() and task.result().connection.is_closed()

    async def _enter(self) -> _Through:
        through: _Through | None = None
        for hop in self.access.hops:
            through = await self._open(_of_hop(hop), through)
            self._hops.append(through.connection)
        assert through is not None, "asked for only where there are hops"
        return through

    async def _open(self, end: _End, through: _Through | None) -> _Through:
        try:
            async with asyncio.timeout(self.access.connect_timeout):
                async with _pairs(end.identity) as pairs:
                    return await _connect(end, pairs, through)
        except asyncssh.HostKeyNotVerifiable:
            raise _unverified(end) from None
        except asyncssh.KeyExchangeFailed:
            raise PlatformError(
                f"{end.where} and Lastgood have no way of encryption in common; nothing was sent",
                permanent=True,
            ) from None
        except asyncssh.PermissionDenied:
            identity = end.identity
            raise PlatformError(
                f"{end.where} does not let {identity.user} in with {identity.proof}",
                permanent=True,
            ) from None
        except TimeoutError:
            seconds = self.access.connect_timeout
            raise PlatformError(f"no answer from {end.where} within {seconds:g} s") from None
        except ConnectionRefusedError:
            raise PlatformError(f"{end.where} refused the connection") from None
        except socket.gaierror:
            raise PlatformError(f"the name {end.address} could not be resolved") from None
        except (OSError, ValueError, asyncssh.Error) as error:  # ValueError: of an agent
            raise PlatformError(f"no connection to {end.where} ({reason(error)})") from None


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


@asynccontextmanager
async def _pairs(identity: Identity) -> AsyncIterator[Sequence[asyncssh.SSHKeyPair]]:
    """What to show. An agent is asked by each host for itself: an answer that one did not wait for
    would be taken for the next one's."""
    if identity.agent is None:
        yield identity.pairs()
        return
    agent = asyncssh.SSHAgentClient(identity.agent)
    try:
        found = await agent.get_keys()
        if not found:
            raise PlatformError(f"the SSH agent {identity.agent} has no key", permanent=True)
        yield found
    finally:
        agent.close()


def _way_in(stay: everywhere.Stay, access: Access) -> Way:
    key = (Way, access.mark)
    if key not in stay.left:
        way = Way(access, keeps=True)
        stay.left[key] = way
        stay.endings.append(way.close)
    found: Way = stay.left[key]
    found.again()
    return found


async def closed(connection: asyncssh.SSHClientConnection) -> None:
    """A host that hangs cannot keep us from leaving."""
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await connection.wait_closed()
    except TimeoutError:
        connection.abort()
        await asyncio.sleep(0)


def reason(error: Exception) -> str:
    """A few words for an error of the network's."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error)[:200] or type(error).__name__


def _of_hop(hop: Hop) -> _End:
    host = f"[{hop.address}]" if ":" in hop.address else hop.address
    return _End(hop.address, hop.port, f"the jump host {host}:{hop.port}", hop.identity)


async def _connect(
    end: _End, pairs: Sequence[asyncssh.SSHKeyPair], through: _Through | None
) -> _Through:
    """Nothing of the worker's own account is used: no configuration, agent, keys or known hosts."""
    below = through.below if through else await connected(end.address, end.port)
    carrier: dict[str, Any] = {"tunnel": through.connection} if through else {"sock": below}
    connection = await asyncssh.connect(
        end.address,
        end.port,
        **carrier,
        username=end.identity.user,
        client_keys=list(pairs),
        agent_path=None,
        known_hosts=end.identity.known_hosts,
        encryption_algs=ENCRYPTION_ALGORITHMS,
        server_host_key_algs=HOST_KEY_ALGORITHMS,
        x509_trusted_certs=None,
        config=None,
        gss_auth=False,
        gss_kex=False,
        host_based_auth=False,
        kbdint_auth=False,
        password_auth=False,
        keepalive_interval=KEEPALIVE_SECONDS,
        keepalive_count_max=KEEPALIVES_MISSED,
    )
    return _Through(connection, below)


def _unverified(end: _End) -> PlatformError:
    port = None if end.port == asyncssh.DEFAULT_PORT else end.port
    known = end.identity.known_hosts.match(end.address, "", port)
    if any(known):
        what = f"the host key of {end.where} is not the one in known_hosts"
    else:
        what = f"the host key of {end.where} is not in known_hosts"
    return PlatformError(f"{what}; nothing was sent", permanent=True)
