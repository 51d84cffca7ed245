"""One command on an open SSH connection: what goes in, what comes out, and how it ended."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass

import asyncssh

from rollbacks.platforms.ssh.sockets import GuardedSocket

KEPT_BYTES = 64 * 1024
# A restart may leave a daemon behind that holds the output open; sshd then keeps the session open.
LINGER_SECONDS = 1.0


@dataclass(frozen=True)
class Answer:
    """How a command ended; `status` is None where a signal ended it, or it has not."""

    status: int | None
    signal: str
    out: bytes
    err: bytes
    both: bytes

    @property
    def failure(self) -> str:
        """Why it did not end well, with the host's last words; empty where it did."""
        if self.status == 0:
            return ""
        ended = f"ended with {self.status}" if self.status else f"was ended by SIG{self.signal}"
        lines = self.err.decode(errors="replace").strip().splitlines()
        said = " / ".join(line.strip() for line in lines[-3:])[-500:]
        return f"{ended}: {said}" if said else ended


class Session(asyncssh.SSHClientSession[bytes]):
    """asyncssh's callbacks, kept as a bounded answer.

    The checkpoint is passed once the host has opened a channel, immediately before the command is
    sent: a worker that was stopped while it waited for the host may have lost its lease. The
    socket asks again, until the host has all that it needs to act.
    """

    def __init__(self, checkpoint: Callable[[], None], socket: GuardedSocket) -> None:
        self._checkpoint = checkpoint
        self._socket = socket
        self.ended = asyncio.Event()
        self._closed = asyncio.Event()
        self._may_write = asyncio.Event()
        self._may_write.set()
        self._channel: asyncssh.SSHClientChannel[bytes] | None = None
        self._status: int | None = None
        self._signal = ""
        self._out, self._err, self._both = bytearray(), bytearray(), bytearray()

    @property
    def was_lost(self) -> bool:
        return self._status is None and not self._signal

    async def feed(self, stdin: AsyncIterator[bytes] | None) -> AsyncIterator[None]:
        """Send standard input as fast as the host takes it, then its end; yields at each piece."""
        assert self._channel is not None
        if stdin is not None:
            async for piece in stdin:
                await self._may_write.wait()
                if self.ended.is_set():
                    return
                self._channel.write(piece)
                yield
        if not self.ended.is_set():
            self._channel.write_eof()
        self._socket.asked.pop(self, None)

    async def linger(self) -> None:
        """Wait a moment for what the host still has to say after the end."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                await self._closed.wait()

    def abort(self) -> None:
        self._socket.asked.pop(self, None)
        if self._channel is not None:
            self._channel.abort()

    def answer(self) -> Answer:
        return Answer(
            self._status, self._signal, bytes(self._out), bytes(self._err), bytes(self._both)
        )

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        self._channel = chan
        self._checkpoint()
        self._socket.asked[self] = self._checkpoint

    def data_received(self, data: bytes, datatype: int | None) -> None:
        stream = self._err if datatype == asyncssh.EXTENDED_DATA_STDERR else self._out
        for kept in (stream, self._both):
            kept.extend(data)
            del kept[:-KEPT_BYTES]

    def eof_received(self) -> bool:
        """Stay: the exit status comes after the end of the output."""
        return True

    def exit_status_received(self, status: int) -> None:
        self._status = status
        self._end()

    def exit_signal_received(self, signal: str, core_dumped: bool, msg: str, lang: str) -> None:
        self._signal = signal
        self._end()

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed.set()
        self._end()

    def pause_writing(self) -> None:
        self._may_write.clear()

    def resume_writing(self) -> None:
        self._may_write.set()

    def _end(self) -> None:
        self.ended.set()
        self._may_write.set()
