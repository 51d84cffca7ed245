"""One connection to one host or jump host, or why there is none.

Nobody's key is trusted that is not in the known hosts.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncssh

from rollbacks.platforms.base import PlatformError
from rollbacks.platforms.ssh.access import Identity
from rollbacks.platforms.ssh.sockets import GuardedSocket, connected

CLOSE_SECONDS = 2.0
# Kinds that known_hosts has for the host go first. Without the others a host with a new kind of key
# would just hang up; with them it shows its key, and is refused for it.
HOST_KEY_ALGORITHMS = "+ssh-ed25519,ecdsa-sha2-nistp*,rsa-sha2-*"
KEEPALIVE_SECONDS = 5.0
KEEPALIVES_MISSED = 2
# Packets are encrypted by one call of OpenSSL's each, instead of the five that ChaCha20 takes.
ENCRYPTION_ALGORITHMS = "^aes128-gcm@openssh.com,aes256-gcm@openssh.com"


@dataclass(frozen=True)
class Through:
    """A connection to go on from, and the worker's own socket at its beginning."""

    connection: asyncssh.SSHClientConnection
    below: GuardedSocket


@dataclass(frozen=True)
class End:
    """Whom we connect to, and how people call it."""

    address: str
    port: int
    where: str
    identity: Identity


async def connection_to(end: End, through: Through | None, limit: float) -> Through:
    """Within the limit, in s. Raises PlatformError, permanent where trying again is in vain."""
    try:
        async with asyncio.timeout(limit):
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
        raise PlatformError(f"no answer from {end.where} within {limit:g} s") from None
    except ConnectionRefusedError:
        raise PlatformError(f"{end.where} refused the connection") from None
    except socket.gaierror:
        raise PlatformError(f"the name {end.address} could not be resolved") from None
    except (OSError, ValueError, asyncssh.Error) as error:  # ValueError: of an agent
        raise PlatformError(f"no connection to {end.where} ({reason(error)})") from None


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


async def _connect(
    end: End, pairs: Sequence[asyncssh.SSHKeyPair], through: Through | None
) -> Through:
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
    return Through(connection, below)


def _unverified(end: End) -> PlatformError:
    port = None if end.port == asyncssh.DEFAULT_PORT else end.port
    known = end.identity.known_hosts.match(end.address, "", port)
    if any(known):
        what = f"the host key of {end.where} is not the one in known_hosts"
    else:
        what = f"the host key of {end.where} is not in known_hosts"
    return PlatformError(f"{what}; nothing was sent", permanent=True)


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
