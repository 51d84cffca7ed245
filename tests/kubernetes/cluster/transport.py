"""HTTPS: reads requests, knows callers by token or certificate, and writes answers.

A thread for each connection, none of which does anything while its client is silent.
"""

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

from tests.ports import LOOPBACK

from . import faults
from .access import ANONYMOUS, AUTHENTICATED, User
from .faults import Call, Faults
from .problems import Refused, out_of_order, unauthorized
from .requests import Answer, Request

Json = dict[str, Any]


class Transport:
    """Listens until it is closed. `answer` does what a request asks."""

    def __init__(
        self,
        answer: Callable[[Request], Answer],
        user_of_token: Callable[[str], User | None],
        certificate: Path,
        authority: Path,
    ) -> None:
        self.answer = answer
        self.user_of_token = user_of_token
        self.faults = Faults()
        self.calls: list[Call] = []
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._context.load_verify_locations(authority)
        self._context.verify_mode = ssl.CERT_OPTIONAL
        self._open: dict[socket.socket, threading.Thread] = {}
        self._lock = threading.Lock()

    def open(self) -> int:
        """The port."""
        self._listener = socket.create_server((LOOPBACK, 0), backlog=256)
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()
        port: int = self._listener.getsockname()[1]
        return port

    def close(self) -> None:
        """End every connection; their threads are gone when this returns."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        self._listener.close()
        with self._lock:
            still_open = dict(self._open)
        for connection, thread in still_open.items():
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            with self._lock:
                self._open[connection] = thread
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A broken connection is the client's affair, and tests break many on purpose.
        with suppress(OSError, ssl.SSLError), connection:
            wrapped = self._context.wrap_socket(
                connection.dup(), server_side=True, do_handshake_on_connect=False
            )
            with wrapped:
                wrapped.do_handshake()
                _Conversation(wrapped, (LOOPBACK, 0), cast(Any, self))
        with self._lock:
            self._open.pop(connection, None)


class _Dropped(ConnectionError):
    """The connection is to be lost."""


class _Conversation(BaseHTTPRequestHandler):
    """One connection, kept for as many requests as the client likes."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    server: Any
    connection: ssl.SSLSocket

    def do(self) -> None:
        transport: Transport = self.server
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else b""
        try:
            answer = self._answer(transport, body)
        except Refused as refused:
            answer = Answer(refused.code, refused.status, refused.headers)
        if answer.events is None:
            self._write(answer)
        else:
            self._stream(answer.events)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do  # noqa: N815

    def _answer(self, transport: Transport, body: bytes) -> Answer:
        parts = urlsplit(self.path)
        kind = self.headers.get("Content-Type", "")
        call = Call(self.command, parts.path, parts.query, kind)
        user = self._user(transport)
        fault = None
        if user.is_observed:
            transport.calls.append(call)
            fault = transport.faults.of(call)
        match fault:
            case faults.Answer(code, retry_after):
                raise out_of_order(code, retry_after)
            case faults.Drop(after_effect=False):
                raise _Dropped
            case faults.Delay(seconds):
                time.sleep(seconds)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        agent = self.headers.get("User-Agent", "")
        request = Request(self.command, parts.path, query, kind, body, agent, user)
        answer = transport.answer(request)
        if isinstance(fault, faults.Drop):
            raise _Dropped
        return answer

    def _user(self, transport: Transport) -> User:
        """Raises Refused for somebody unknown."""
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer":
            return self._certified() or ANONYMOUS
        if (user := transport.user_of_token(token)) is None:
            raise unauthorized()
        return user

    def _certified(self) -> User | None:
        certificate = self.connection.getpeercert()
        if not certificate:
            return None
        subject = cast(Any, certificate["subject"])
        names = [pair for parts in subject for pair in parts]
        groups = tuple(value for key, value in names if key == "organizationName")
        common = next(value for key, value in names if key == "commonName")
        return User(common, (*groups, AUTHENTICATED))

    def _write(self, answer: Answer) -> None:
        is_text = isinstance(answer.body, str)
        body = answer.body if isinstance(answer.body, str) else json.dumps(answer.body) + "\n"
        content = body.encode()
        self.send_response_only(answer.code)
        self.send_header("Content-Type", "text/plain" if is_text else "application/json")
        self.send_header("Content-Length", str(len(content)))
        for key, value in answer.headers.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def _stream(self, events: Iterator[Json | None]) -> None:
        self.send_response_only(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for event in events:
            if event is None:
                self.wfile.flush()
            else:
                self._chunk(json.dumps(event).encode() + b"\n")
        self._chunk(b"")

    def _chunk(self, content: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(content), content))
        self.wfile.flush()
