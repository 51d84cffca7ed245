"""WS-Management envelopes as a server reads and writes them."""

import base64
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

S = "http://www.w3.org/2003/05/soap-envelope"
WSA = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
RSP = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
WST = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
FAULT = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
PWSH = "http://schemas.microsoft.com/powershell"
_NAMES = {"s": S, "wsa": WSA, "wsman": WSMAN, "rsp": RSP, "pwsh": PWSH}
OPERATION_TIMED_OUT = 0x80338029
NO_SUCH_SHELL = 0x8033805B
ACCESS_DENIED = 5


class Fault(Exception):
    """A fault of WS-Management's, by its code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True)
class Request:
    """`seconds`: after which a receive without an answer is answered by a fault."""

    action: str
    message: str
    shell: str
    seconds: float
    body: ET.Element

    def find(self, path: str) -> ET.Element | None:
        return self.body.find(path, _NAMES)

    def data(self, path: str) -> bytes:
        """What is in the element, in base64."""
        found = self.find(path)
        assert found is not None, f"the request has no {path}"
        return base64.b64decode(found.text or "")

    def attribute(self, path: str, name: str) -> str:
        found = self.find(path)
        return "" if found is None else found.attrib.get(name, "")


def parsed(content: bytes) -> Request:
    envelope = ET.fromstring(content)

    def text(path: str) -> str:
        found = envelope.find(path, _NAMES)
        return "" if found is None or found.text is None else found.text

    body = envelope.find("s:Body", _NAMES)
    assert body is not None, "an envelope has a body"
    return Request(
        action=text("s:Header/wsa:Action").rpartition("/")[2],
        message=text("s:Header/wsa:MessageID"),
        shell=text("s:Header/wsman:SelectorSet/wsman:Selector"),
        seconds=float(text("s:Header/wsman:OperationTimeout").strip("PTS") or 60),
        body=body,
    )


def answer(request: Request, body: str) -> bytes:
    return _envelope(f"{request.action}Response", request.message, body)


def fault(request: Request, error: Fault) -> bytes:
    body = (
        f"<s:Fault><s:Code><s:Value>s:Receiver</s:Value></s:Code><s:Reason>"
        f'<s:Text xml:lang="en-US">{escape(str(error))}</s:Text></s:Reason><s:Detail>'
        f'<f:WSManFault xmlns:f="{FAULT}" Code="{error.code}" Machine="host">'
        f"<f:Message>{escape(str(error))}</f:Message></f:WSManFault></s:Detail></s:Fault>"
    )
    return _envelope("fault", request.message, body)


def created(shell: str) -> str:
    return (
        f'<x:ResourceCreated xmlns:x="{WST}"><wsa:ReferenceParameters><wsman:SelectorSet>'
        f'<wsman:Selector Name="ShellId">{escape(shell)}</wsman:Selector></wsman:SelectorSet>'
        f"</wsa:ReferenceParameters></x:ResourceCreated><rsp:Shell>"
        f"<rsp:ShellId>{escape(shell)}</rsp:ShellId></rsp:Shell>"
    )


def commanded(command: str) -> str:
    return f"<rsp:CommandResponse><rsp:CommandId>{command}</rsp:CommandId></rsp:CommandResponse>"


def received(pieces: Iterable[bytes], command: str, *, is_done: bool) -> str:
    named = f" CommandId={quoteattr(command)}" if command else ""
    streams = "".join(
        f'<rsp:Stream Name="stdout"{named}>{base64.b64encode(each).decode()}</rsp:Stream>'
        for each in pieces
    )
    state = "Done" if is_done else "Running"
    ended = f'<rsp:CommandState{named} State="{RSP}/CommandState/{state}"/>' if command else ""
    return f"<rsp:ReceiveResponse>{streams}{ended}</rsp:ReceiveResponse>"


def _envelope(action: str, relates_to: str, body: str) -> bytes:
    return (
        f'<s:Envelope xmlns:s="{S}" xmlns:wsa="{WSA}" xmlns:wsman="{WSMAN}" xmlns:rsp="{RSP}">'
        f"<s:Header><wsa:Action>{RSP}/{action}</wsa:Action>"
        f"<wsa:MessageID>uuid:{uuid.uuid4()}</wsa:MessageID>"
        f"<wsa:RelatesTo>{escape(relates_to)}</wsa:RelatesTo></s:Header>"
        f"<s:Body>{body}</s:Body></s:Envelope>"
    ).encode()
