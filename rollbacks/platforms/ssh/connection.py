"""The part that sends: SSH connections whose host key is known, and commands run over them.

Everything has a time limit, and what a host says is kept up to a bound. Knows nothing of releases.
"""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncssh

from rollbacks.platforms.base import Control, PlatformError, TargetRef
from rollbacks.platforms.ssh.places import Place
from rollbacks.platforms.ssh.sessions import Answer, Session
from rollbacks.platforms.ssh.settings import Connector
from rollbacks.platforms.ssh.sockets import GuardedSocket, connected

# At INFO asyncssh logs whole commands, and with them the values of variables.
logging.getLogger("asyncssh").setLevel(logging.WARNING)

CLOSE_SECONDS = 2.0
# Kinds that known_hosts has for the host go first. Without the others a host with a new kind of key
# would just hang up; with them it shows its key, and is refused for it.
HOST_KEY_ALGORITHMS = "+ssh-ed25519,ecdsa-sha2-nistp*,rsa-sha2-*"
KEEPALIVE_SECONDS = 5.0
KEEPALIVES_MISSED = 2


class CommandTimeout(PlatformError):
    """The host answers, but the command has not ended; `answer` is what it said so far."""

    def __init__(self, message: str, answer: Answer) -> None:
        super().__init__(message)
        self.answer = answer


@dataclass(frozen=True)
class Access:
    """What it takes to enter hosts."""

    user: str
    key: asyncssh.SSHKey = field(repr=False)
    known_hosts: asyncssh.SSHKnownHosts = field(repr=False)
    connect_timeout: float
    command_timeout: float
    concurrency: int


def access_to(target: TargetRef) -> Access:
    """Read the credential and the known hosts; PlatformError says which of them is wrong."""
    connector = Connector.model_validate(dict(target.connector))
    if target.credential is None:
        raise PlatformError(
            "The connector has no credential; SSH needs a private key.", permanent=True
        )
    try:
        key = asyncssh.import_private_key(target.credential.value)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, ValueError):
        raise PlatformError(
            "The connector's credential is no private key that can be used: it must be in PEM or "
            "OpenSSH format, without a passphrase.",
            permanent=True,
        ) from None
    return Access(
        user=connector.user,
        key=key,
        known_hosts=_known_hosts(connector.known_hosts),
        connect_timeout=connector.connect_timeout,
        command_timeout=connector.command_timeout,
        concurrency=connector.concurrency,
    )


def _known_hosts(path: str) -> asyncssh.SSHKnownHosts:
    try:
        return asyncssh.read_known_hosts(path)
    except OSError as error:
        why = error.strerror
    except ValueError:
        why = "a line in it is malformed"
    raise PlatformError(f"The worker cannot read the known hosts {path}: {why}.", permanent=True)


class Remote:
    """An open connection to one host; its commands are for whoever passes the checkpoint."""

    def __init__(
        self,
        connection: asyncssh.SSHClientConnection,
        socket: GuardedSocket,
        limit: float,
        checkpoint: Callable[[], None],
    ) -> None:
        self._connection = connection
        self._socket = socket
        self._limit = limit
        self._checkpoint = checkpoint

    async def run(
        self,
        command: str,
        stdin: AsyncIterator[bytes] | None = None,
        *,
        limit: float | None = None,
    ) -> Answer:
        """Run to the end. `limit`: seconds for the command, or between two pieces of its input.

        Raises CommandTimeout, PlatformError where the connection is lost, and Stopped before the
        command is sent.
        """
        seconds, session = limit or self._limit, Session(self._checkpoint, self._socket)
        try:
            async with asyncio.timeout(seconds) as clock:
                await self._connection.create_session(lambda: session, command, encoding=None)
                async for _ in session.feed(stdin):
                    clock.reschedule(asyncio.get_running_loop().time() + seconds)
                await session.ended.wait()
            await session.linger()
        except TimeoutError:
            raise CommandTimeout(
                f"no end of the command within {seconds:g} s", session.answer()
            ) from None
        except (OSError, asyncssh.Error) as error:
            raise PlatformError(f"the connection was lost ({reason(error)})") from None
        finally:
            session.abort()
        if session.was_lost:
            raise PlatformError("the connection was lost before the command ended")
        return session.answer()


@asynccontextmanager
async def entered(
    place: Place, access: Access, control: Control | None = None
) -> AsyncIterator[Remote]:
    """A connection to a host whose key is the known one; raises PlatformError.

    `control`: of the step that enters; a look that belongs to none has none.
    """
    connection, below = await _open(place, access)
    checkpoint = control.checkpoint if control else _may_always
    try:
        yield Remote(connection, below, access.command_timeout, checkpoint)
        connection.close()
    except BaseException:
        connection.abort()
        raise
    finally:
        await _closed(connection)


def _may_always() -> None:
    """Nobody can take over what belongs to nobody."""


async def _closed(connection: asyncssh.SSHClientConnection) -> None:
    """A host that hangs cannot keep us from leaving."""
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await connection.wait_closed()
    except TimeoutError:
        connection.abort()
        await asyncio.sleep(0)


async def _open(place: Place, access: Access) -> tuple[asyncssh.SSHClientConnection, GuardedSocket]:
    try:
        async with asyncio.timeout(access.connect_timeout):
            return await _connect(place, access)
    except asyncssh.HostKeyNotVerifiable:
        raise _unverified(place, access) from None
    except asyncssh.KeyExchangeFailed:
        raise PlatformError(
            f"{place.where} and Lastgood have no way of encryption in common; nothing was sent",
            permanent=True,
        ) from None
    except asyncssh.PermissionDenied:
        raise PlatformError(
            f"{place.where} does not let {access.user} in with the connector's key", permanent=True
        ) from None
    except TimeoutError:
        raise PlatformError(
            f"no answer from {place.where} within {access.connect_timeout:g} s"
        ) from None
    except ConnectionRefusedError:
        raise PlatformError(f"{place.where} refused the connection") from None
    except socket.gaierror:
        raise PlatformError(f"the name {place.address} could not be resolved") from None
    except (OSError, asyncssh.Error) as error:
        raise PlatformError(f"no connection to {place.where} ({reason(error)})") from None


async def _connect(
    place: Place, access: Access
) -> tuple[asyncssh.SSHClientConnection, GuardedSocket]:
    """Nothing of the worker's own account is used: no configuration, agent, keys or known hosts."""
    below = await connected(place.address, place.port)
    connection = await asyncssh.connect(
        place.address,
        place.port,
        sock=below,
        username=access.user,
        client_keys=[access.key],
        known_hosts=access.known_hosts,
        server_host_key_algs=HOST_KEY_ALGORITHMS,
        x509_trusted_certs=None,
        config=None,
        agent_path=None,
        gss_auth=False,
        gss_kex=False,
        host_based_auth=False,
        kbdint_auth=False,
        password_auth=False,
        keepalive_interval=KEEPALIVE_SECONDS,
        keepalive_count_max=KEEPALIVES_MISSED,
    )
    return connection, below


def _unverified(place: Place, access: Access) -> PlatformError:
    port = None if place.port == asyncssh.DEFAULT_PORT else place.port
    known = access.known_hosts.match(place.address, "", port)
    if any(known):
        what = "the host key is not the one in known_hosts"
    else:
        what = f"the host key of {place.where} is not in known_hosts"
    return PlatformError(f"{what}; nothing was sent", permanent=True)


def reason(error: Exception) -> str:
    """A few words for an error of the network's."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error)[:200] or type(error).__name__
