"""The part that sends: SSH connections whose host key is known, and commands run over them.

Everything has a time limit, and what a host says is kept up to a bound. Knows nothing of releases.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import asyncssh

from rollbacks.platforms import everywhere
from rollbacks.platforms.base import Control, PlatformError
from rollbacks.platforms.ssh.become import Become
from rollbacks.platforms.ssh.entering import closed, reason
from rollbacks.platforms.ssh.places import Place
from rollbacks.platforms.ssh.sessions import Answer, Session
from rollbacks.platforms.ssh.sockets import GuardedSocket
from rollbacks.platforms.ssh.ways import Way


class CommandTimeout(PlatformError):
    """The host answers, but the command has not ended; `answer` is what it said so far."""

    def __init__(self, message: str, answer: Answer) -> None:
        super().__init__(message)
        self.answer = answer


class Remote:
    """An open connection to one host; its commands are for whoever passes the checkpoint."""

    def __init__(
        self,
        connection: asyncssh.SSHClientConnection,
        socket: GuardedSocket,
        limit: float,
        checkpoint: Callable[[], None],
        become: Become | None,
    ) -> None:
        self.become = become
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
        if self.become is not None:
            command, stdin = self.become.line(command), self.become.feed(stdin)
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
async def entered(place: Place, way: Way, control: Control | None = None) -> AsyncIterator[Remote]:
    """A connection to a host whose key is the known one; raises PlatformError.

    `control`: of the step that enters; a look that belongs to none has none.
    """
    connection, below = await way.open(place)
    checkpoint = everywhere.checkpoint_of(control)
    try:
        yield Remote(connection, below, way.access.command_timeout, checkpoint, way.access.become)
    except BaseException:
        connection.abort()
        await closed(connection)
        raise
    await way.leave(place, connection, below)
