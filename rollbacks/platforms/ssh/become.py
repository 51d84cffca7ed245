"""Commands as another user: sudo in front, and a password for it on standard input only."""

import re
import shlex
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from rollbacks.platforms.ssh.sessions import Answer

# sudo repeats all of a command that it does not allow.
_COMMAND = re.compile(r"execute '.*' as", re.DOTALL)
# What follows a password: sudo leaves it unread where it needs none, and then nobody may have it.
_READY = "lastgood: what follows is for the command"
_AFTER = f"""
IFS= read -r line || exit 1
[ "$line" = '{_READY}' ] || IFS= read -r line || exit 1
unset line
exec "$@"
"""


@dataclass(frozen=True)
class Become:
    """`password`: None where sudo does not ask for one."""

    user: str
    password: str | None = field(repr=False)

    def line(self, command: str) -> str:
        """The command line, which is of words alone, run by the user. A remembered password is
        not relied on: what is sent must be read by the same one every time."""
        if self.password is None:
            return f"sudo -n -u {shlex.quote(self.user)} -- {command}"
        after = shlex.join(["sh", "-c", _AFTER, "lastgood"])
        return f"sudo -k -S -p '' -u {shlex.quote(self.user)} -- {after} {command}"

    async def feed(self, stdin: AsyncIterator[bytes] | None) -> AsyncIterator[bytes]:
        """Standard input, behind the password."""
        if self.password is not None:
            yield f"{self.password}\n{_READY}\n".encode()
        if stdin is not None:
            async for piece in stdin:
                yield piece

    def refusal(self, answer: Answer) -> str:
        """Why sudo did not run the command; empty where it did, or that is not known."""
        said = answer.err.decode(errors="replace").strip()
        if answer.status == 0 or ("sudo" not in said and "Sorry" not in said):
            return ""
        words = " / ".join(_COMMAND.sub("execute sh as", said).splitlines()[-2:])
        return f"may not act as {self.user} by sudo ({words})"
