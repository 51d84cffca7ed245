"""PowerShell sessions of a host: PSRP by psrpcore, with a table from script to what it does."""

import json
import re
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from psrpcore import (
    CreatePipelineEvent,
    PSRPPayload,
    ServerPipeline,
    ServerRunspacePool,
    StreamType,
)
from psrpcore.types import ErrorCategoryInfo, ErrorRecord, NETException, PSInvocationState

from rollbacks.platforms.winrm.scripts import DIRECTORY
from tests.winrm.host import wsman
from tests.winrm.host.disk import Refused
from tests.winrm.host.logins import Principal
from tests.winrm.host.windows import Windows
from tests.winrm.host.wsman import Fault, Request

SCRIPTS = {path.read_text(): path.stem for path in sorted(DIRECTORY.glob("*.ps1"))}
_DECLARED = re.compile(r"\[(string|long|bool|byte\[\])\]\$(\w+)")
_TYPES: dict[str, type] = {"string": str, "long": int, "bool": bool, "byte[]": bytes}
_READS = "look_"


def declared(text: str) -> dict[str, type]:
    """The types of a script's parameters, as its own param block says them."""
    block = text[text.index("param(") : text.index("$ErrorActionPreference")]
    return {name: _TYPES[kind] for kind, name in _DECLARED.findall(block)}


class Lost(Exception):
    """The connection breaks here."""


@dataclass
class Call:
    """A script that was sent, by name."""

    script: str
    parameters: dict[str, Any]

    @property
    def is_change(self) -> bool:
        return not self.script.startswith(_READS)


# What a script of a person's does: given its environment, it says something and an exit code.
Person = Callable[[dict[str, str]], tuple[str, int]]


@dataclass
class Shells:
    """`before` and `after` are asked at each script; what arrived is in `calls`.

    `people`: what scripts of their own mean. `fragment`: the most bytes of one answer; `delay`:
    seconds each script takes.
    """

    windows: Windows
    fragment: int = 100_000
    delay: float = 0.0
    calls: list[Call] = field(default_factory=list)
    people: dict[str, Person] = field(default_factory=dict)
    before: Callable[[Call], None] = lambda call: None
    after: Callable[[Call], None] = lambda call: None
    opened: dict[str, "Shell"] = field(default_factory=dict)

    def serve(self, request: Request, principal: Principal) -> str:
        """The body of the answer; raises Fault, and Lost."""
        if not principal.may_enter:
            raise Fault(wsman.ACCESS_DENIED, "Access is denied.")
        if request.action == "Create":
            return self._create(request, principal)
        shell = self.opened.get(request.shell)
        if shell is None:
            raise Fault(wsman.NO_SUCH_SHELL, "The request contained invalid selectors.")
        if request.action == "Delete":
            del self.opened[request.shell]
            return ""
        return shell.serve(request)

    def changes(self) -> list[str]:
        return [call.script for call in self.calls if call.is_change]

    def _create(self, request: Request, principal: Principal) -> str:
        shell = Shell(self, principal)
        shell.hear(request.data("rsp:Shell/pwsh:creationXml"))
        name = request.attribute("rsp:Shell", "ShellId")
        self.opened[name] = shell
        return wsman.created(name)


class Shell:
    """One runspace pool, with the pipelines that run in it."""

    def __init__(self, host: Shells, principal: Principal) -> None:
        self._host = host
        self._principal = principal
        self._pool = ServerRunspacePool()
        self._lock = threading.Condition()
        self._said: dict[str, list[bytes]] = {}
        self._ended: set[str] = set()
        self._environment: dict[str, str] = {}
        self._exit_code = 0

    def serve(self, request: Request) -> str:
        if request.action == "Command":
            command = request.attribute("rsp:CommandLine", "CommandId")
            with self._lock:
                ServerPipeline(self._pool, uuid.UUID(command))
            self.hear(request.data("rsp:CommandLine/rsp:Arguments"))
            return wsman.commanded(command)
        if request.action == "Send":
            self.hear(request.data("rsp:Send/rsp:Stream"))
            return "<rsp:SendResponse/>"
        if request.action == "Signal":
            return "<rsp:SignalResponse/>"
        assert request.action == "Receive", f"{request.action} was never asked before"
        return self._receive(request)

    def hear(self, data: bytes) -> None:
        """What came from the client; a pipeline that is whole begins."""
        with self._lock:
            self._pool.receive_data(PSRPPayload(data, StreamType.default, None))
            events = []
            while (event := self._pool.next_event()) is not None:
                events.append(event)
            self._collect()
        for event in events:
            if isinstance(event, CreatePipelineEvent):
                self._begin(event)

    def _receive(self, request: Request) -> str:
        command = request.attribute("rsp:Receive/rsp:DesiredStream", "CommandId").lower()
        deadline = time.monotonic() + request.seconds
        with self._lock:
            while not self._said.get(command):
                if not self._lock.wait(deadline - time.monotonic()):
                    raise Fault(wsman.OPERATION_TIMED_OUT, "The operation timed out.")
            piece = self._said[command].pop(0)
            is_done = command in self._ended and not self._said[command]
        return wsman.received([piece], command.upper(), is_done=is_done)

    def _begin(self, event: Any) -> None:
        """Like Windows: the command is answered at once, and what it does goes on beside."""
        call = self._call_in(event)
        self._host.calls.append(call)
        self._host.before(call)
        pipeline = self._pool.pipeline_table[event.pipeline_id]
        with self._lock:
            pipeline.start()
        if self._host.delay:
            threading.Thread(target=self._run, args=(call, pipeline), daemon=True).start()
        else:
            self._run(call, pipeline)
        self._host.after(call)

    def _run(self, call: Call, pipeline: ServerPipeline) -> None:
        time.sleep(self._host.delay)
        try:
            said = self._act(call)
        except Refused as error:
            self._end(pipeline, "", str(error))
        except Exception as error:
            # As PowerShell: whatever is wrong in a script is an error of the script's.
            self._end(pipeline, "", f"{type(error).__name__}: {error}")
        else:
            self._end(pipeline, said or "", "")

    def _act(self, call: Call) -> str | None:
        if call.script == "prepare_script":
            listed = json.loads(call.parameters["Variables"])
            self._environment = {each["name"]: each["value"] for each in listed}
            return None
        if call.script == "exit_code":
            return str(self._exit_code)
        if call.script in self._host.people:
            said, self._exit_code = self._host.people[call.script](self._environment)
            return said
        act = getattr(self._host.windows, call.script)
        found: str | None = act(self._principal, **call.parameters)
        return found

    def _call_in(self, event: Any) -> Call:
        """One of ours by the table, or a person's own as it is, without parameters."""
        (command,) = event.pipeline.commands
        if command.command_text in self._host.people:
            assert not command.parameters, "a person's script declares none"
            return Call(command.command_text, {})
        return _call_in(command)

    def _end(self, pipeline: ServerPipeline, said: str, error: str) -> None:
        with self._lock:
            if error:
                record = ErrorRecord(
                    Exception=NETException(Message=error),
                    CategoryInfo=ErrorCategoryInfo(Reason="RuntimeException"),
                    FullyQualifiedErrorId="RuntimeException",
                )
                pipeline._change_state(PSInvocationState.Failed, error=record)
            else:
                if said:
                    pipeline.write_output(said)
                pipeline.complete()
            self._ended.add(str(pipeline.pipeline_id))
            self._collect()
            self._lock.notify_all()

    def _collect(self) -> None:
        while (payload := self._pool.data_to_send(self._host.fragment)) is not None:
            of = str(payload.pipeline_id or "")
            self._said.setdefault(of, []).append(payload.data)


def _call_in(command: Any) -> Call:
    """The script by our table; its parameters all there, and of the declared types."""
    assert command.is_script, "only scripts are sent"
    name = SCRIPTS[command.command_text]
    parameters = {key: _plain(value) for key, value in command.parameters}
    types = declared(command.command_text)
    assert parameters.keys() == types.keys(), f"{name} has {types}, and was given {parameters}"
    for key, kind in types.items():
        assert type(parameters[key]) is kind, f"{name}: {key} is {type(parameters[key])}"
    return Call(name, parameters)


def _plain(value: Any) -> Any:
    """Without psrpcore's own types around it."""
    if isinstance(value, bool):
        return value
    return next(
        (kind(value) for kind in (str, int, bytes) if isinstance(value, kind)),
        value,
    )
