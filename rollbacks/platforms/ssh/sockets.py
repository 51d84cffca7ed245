"""The socket below an SSH connection: the last place to ask whether something may still be sent."""

import asyncio
import errno
import socket
from collections.abc import Callable
from typing import Any

from rollbacks.platforms.base import Stopped


class GuardedSocket(socket.socket):
    """Asks once more right before it sends anything, for as long as it has somebody to ask.

    Between a checkpoint and the system call that sends lie encryption and other threads' turns:
    milliseconds in which a worker may be stopped, to send when it wakes what is no longer its own.
    `asked`: checkpoints, each by the session that needs it, since many share the way through a jump
    host. Where one is not passed, the connection breaks.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.asked: dict[object, Callable[[], None]] = {}

    def send(self, *args: Any) -> int:
        self._pass()
        return super().send(*args)

    def sendmsg(self, *args: Any) -> int:
        self._pass()
        return super().sendmsg(*args)

    def _pass(self) -> None:
        try:
            for checkpoint in list(self.asked.values()):
                checkpoint()
        except Stopped as reason:
            raise ConnectionAbortedError(errno.ECONNABORTED, str(reason)) from None


async def connected(address: str, port: int) -> GuardedSocket:
    """The first of the name's addresses that lets us in; raises OSError of the last one."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(address, port, type=socket.SOCK_STREAM)
    refusal: OSError = ConnectionError(f"{address} has no address")
    for family, kind, protocol, _, where in found:
        try:
            return await _connected(GuardedSocket(family, kind, protocol), where)
        except OSError as error:
            refusal = error
    raise refusal


async def _connected(made: GuardedSocket, where: Any) -> GuardedSocket:
    made.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(made, where)
    except BaseException:
        made.close()
        raise
    return made
