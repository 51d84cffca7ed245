"""Hosts that write down every command they are sent, with the moment and the worker who sent it.

Each worker gets a key of its own, and sshd runs each command through a recorder that knows whose
key it was: what a worker claims to have done or not done can be held against it.
"""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import asyncssh

from rollbacks.platforms.ssh import commands
from tests.sshd import Fleet

_RECORDER = """\
#!/bin/sh
log=${HOME%/hosts/*}/sshd/${HOME##*/}/commands
printf '%s %s %s\\0' "$(date +%s.%N)" "$1" "$SSH_ORIGINAL_COMMAND" >>"$log"
exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"
"""
_NAMES = {
    commands._LOOK: "look",
    commands._UNPACK: "unpack",
    commands._SWITCH: "switch",
    commands._RESTART: "restart",
    commands._SETTLE: "settle",
    commands._CLEAN: "clean",
    commands._SCRIPT: "script",
}


@dataclass(frozen=True)
class Command:
    """What a host was asked to do, the moment before it did; `at` in seconds of the epoch."""

    host: str
    at: float
    worker: str
    text: str

    @cached_property
    def words(self) -> list[str]:
        return shlex.split(self.text)

    @cached_property
    def name(self) -> str:
        return _NAMES[self.words[self.words.index("-c") + 1]]

    @property
    def arguments(self) -> list[str]:
        return self.words[self.words.index("lastgood") + 1 :]

    @property
    def directory(self) -> str:
        return self.arguments[0]

    @property
    def is_of_an_execution(self) -> bool:
        """Looks without a release are anybody's, at any time; they change nothing."""
        return self.name != "look" or bool(self.arguments[1])


class WitnessedFleet(Fleet):
    """A fleet whose hosts testify."""

    def admit(self, worker: str) -> str:
        """A new private key, whose every command is written down under this name."""
        recorder = self.directory / "recorder"
        if not recorder.exists():
            recorder.write_text(_RECORDER)
            recorder.chmod(0o755)
        key = asyncssh.generate_private_key("ssh-ed25519")
        with self.authorized_keys.open("ab") as keys:
            keys.write(f'command="{recorder} {worker}" '.encode() + key.export_public_key())
        return key.export_private_key().decode()

    def commands(self) -> list[Command]:
        """All of them, in the order of time."""
        return sorted(self._commands(), key=lambda each: each.at)

    def _commands(self) -> Iterator[Command]:
        for host in self.hosts:
            log = self.directory / "sshd" / host / "commands"
            for record in log.read_bytes().split(b"\0")[:-1] if log.exists() else ():
                at, worker, text = record.decode().split(" ", 2)
                yield Command(host, float(at), worker, text)
