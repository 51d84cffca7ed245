"""What an SSH server of the demo does with a session: it runs the command, for real.

Faithful to sshd where a client can tell: bytes stay bytes, the three streams stay apart, and the
session ends when the command has ended and nobody holds its output any more.
"""

import asyncio
import os
import pwd
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh

CHUNK = 65_536
GONE = (OSError, asyncssh.Error)


@dataclass
class Sessions:
    """The sessions of one host; `directory` is its home."""

    directory: Path
    _running: set[int] = field(default_factory=set)

    async def run(self, process: "asyncssh.SSHServerProcess[bytes]") -> None:
        """Run what the client asked for, or a shell that reads commands."""
        if process.subsystem:
            process.exit(1)
            return
        child = await asyncio.create_subprocess_exec(
            *_shell(process.command),
            cwd=self.directory,
            env=_environment(self.directory),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        self._running.add(child.pid)
        try:
            await _connect(process, child)
        finally:
            self._running.discard(child.pid)

    def kill(self) -> None:
        """End every command that still runs, with what it started."""
        for pid in self._running:
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)


def _shell(command: str | None) -> tuple[str, ...]:
    return ("/bin/sh",) if command is None else ("/bin/sh", "-c", command)


def _environment(directory: Path) -> Mapping[str, str]:
    """What sshd gives, and nothing of ours."""
    user = pwd.getpwuid(os.getuid()).pw_name
    path = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
    return {
        "HOME": str(directory),
        "LOGNAME": user,
        "PATH": path,
        "SHELL": "/bin/sh",
        "USER": user,
    }


async def _connect(
    process: "asyncssh.SSHServerProcess[bytes]", child: asyncio.subprocess.Process
) -> None:
    assert child.stdout
    assert child.stderr
    feeding = asyncio.create_task(_feed(process, child))
    try:
        await asyncio.gather(
            _copy(child.stdout, process.stdout), _copy(child.stderr, process.stderr)
        )
        _exit(process, await child.wait())
    finally:
        feeding.cancel()


async def _feed(
    process: "asyncssh.SSHServerProcess[bytes]", child: asyncio.subprocess.Process
) -> None:
    """The client's bytes and signals to the command, until either side has had enough."""
    assert child.stdin
    try:
        while await _feed_once(process, child, child.stdin):
            pass
    except GONE:
        pass
    finally:
        child.stdin.close()


async def _feed_once(
    process: "asyncssh.SSHServerProcess[bytes]",
    child: asyncio.subprocess.Process,
    sink: asyncio.StreamWriter,
) -> bool:
    try:
        data = await process.stdin.read(CHUNK)
    except asyncssh.SignalReceived as received:
        with suppress(ProcessLookupError, ValueError):
            os.killpg(child.pid, signal.Signals[f"SIG{received.signal}"])
        return True
    sink.write(data)
    await sink.drain()
    return bool(data)


async def _copy(source: asyncio.StreamReader, sink: "asyncssh.SSHWriter[bytes]") -> None:
    """To the client; once it is gone, to nobody, so that the command can still end."""
    is_heard = True
    while data := await source.read(CHUNK):
        if is_heard:
            try:
                sink.write(data)
                await sink.drain()
            except GONE:
                is_heard = False


def _exit(process: "asyncssh.SSHServerProcess[bytes]", status: int) -> None:
    with suppress(*GONE):
        if status < 0:
            process.exit_with_signal(signal.Signals(-status).name.removeprefix("SIG"))
        else:
            process.exit(status)
