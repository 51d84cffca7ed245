"""A PowerShell session on a host, and the calls made in it; everything has a time limit.

The library waits in threads; a thread that waits for a host is freed by ending its sockets.
"""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

from pypsrp.complex_objects import ObjectMeta, PSInvocationState
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.serializer import Serializer

from rollbacks.platforms import everywhere
from rollbacks.platforms.base import Control, PlatformError
from rollbacks.platforms.winrm.access import Access, guard_for, wsman_to
from rollbacks.platforms.winrm.places import Place
from rollbacks.platforms.winrm.scripts import Call, Value
from rollbacks.platforms.winrm.sockets import Guard
from rollbacks.platforms.winrm.troubles import HUNG, TROUBLES, translated

# At DEBUG they log whole messages; what goes wrong we say ourselves.
for _name in ("pypsrp", "spnego"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)

CLOSE_SECONDS = 5.0
IDLE_SECONDS = 600  # that a host keeps a session for us while an artifact is being prepared
_UNSENDABLE = re.compile("[\ud800-\udfff\ufffe\uffff]")
_SAID = 500
Result = TypeVar("Result")


class ScriptFailed(PlatformError):
    """The host ran the script, and the script said no; `output`: what it had put out before."""

    output = ""


class Remote:
    """An open session; its calls are for whoever passes the checkpoint."""

    def __init__(
        self, place: Place, access: Access, guard: Guard, checkpoint: Callable[[], None]
    ) -> None:
        self._place = place
        self._access = access
        self._guard = guard
        self._checkpoint = checkpoint
        self._client = wsman_to(place, access, guard)
        self._pool = RunspacePool(self._client, idle_timeout=IDLE_SECONDS)

    async def open(self) -> None:
        connector = self._access.connector
        await self._within(connector.connect_timeout + connector.command_timeout, self._pool.open)

    async def call(self, call: Call) -> str:
        """What the script put out. Raises ScriptFailed; PlatformError where the answer was lost,
        and it may or may not have happened; Stopped before it is sent."""
        seconds = max(call.seconds, self._access.connector.command_timeout)
        return await self._within(seconds, lambda: self._invoke(call.text, call.parameters))

    async def run(self, text: str, seconds: float) -> str:
        """A person's own script, which has no parameters; as `call`, but for its lines."""
        return await self._within(seconds, lambda: self._invoke(text, {}, "\n"))

    async def close(self) -> None:
        """A host that hangs cannot keep us from leaving."""
        with suppress(PlatformError):
            await self._within(CLOSE_SECONDS, self._pool.close)
        self.end()

    def end(self) -> None:
        self._guard.end()
        self._client.close()

    async def _within(self, seconds: float, work: Callable[[], Result]) -> Result:
        def heard() -> Result:
            try:
                return work()
            except TROUBLES as error:
                if isinstance(error, HUNG):
                    self.end()  # it would not hear either that we leave
                fault = translated(error, self._place, self._access)
            raise self._guard.stopped or fault

        try:
            async with asyncio.timeout(seconds):
                return await asyncio.to_thread(heard)
        except TimeoutError:
            self.end()
            raise PlatformError(f"no answer from {self._place.where} in {seconds:g} s") from None
        except asyncio.CancelledError:
            self.end()
            raise

    def _invoke(self, text: str, parameters: Mapping[str, Value], between: str = "") -> str:
        shell = PowerShell(self._pool)
        shell.add_script(on_the_wire(text))
        for name, value in parameters.items():
            shell.add_parameter(name, on_the_wire(value))
        with self._guard.asking(self._checkpoint):
            shell.begin_invoke()
        output = between.join(str(each) for each in shell.end_invoke())
        with suppress(*TROUBLES):
            shell.close()  # what it did is known already
        if shell.state != PSInvocationState.COMPLETED:
            failed = ScriptFailed(_last_words(shell), permanent=True)
            failed.output = output
            raise failed
        return output


@asynccontextmanager
async def entered(
    place: Place, access: Access, control: Control | None = None
) -> AsyncIterator[Remote]:
    """A session on a host whose certificate is trusted; raises PlatformError.

    `control`: of the step that enters; a look that belongs to none has none.
    """
    remote = Remote(place, access, guard_for(access), everywhere.checkpoint_of(control))
    try:
        await remote.open()
        try:
            yield remote
        except PlatformError:
            await remote.close()  # a host lets a user have few sessions at once
            raise
        await remote.close()
    finally:
        remote.end()


def on_the_wire(value: Value) -> Any:
    """The value as the library should serialize it: it would cut numbers to 32 bits, and send text
    that no XML may hold."""
    if isinstance(value, str) and _UNSENDABLE.search(value):
        raise PlatformError("A value has a character that cannot be sent.", permanent=True)
    if isinstance(value, int) and not isinstance(value, bool):
        return Serializer().serialize(value, ObjectMeta("I64"))
    return value


def _last_words(shell: Any) -> str:
    said = [str(each).strip() for each in shell.streams.error]
    words = " ".join(said[-1].split())[-_SAID:] if said else ""
    return words or "it ended without saying why"
