"""HTTP(S) on loopback: reads requests, hands them on, and writes answers or loses connections.

A thread for each connection, none of which does anything while its client is silent.
"""

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any, cast

from tests.ports import LOOPBACK


class Dropped(ConnectionError):
    """The connection is to be lost."""


class Reset(Dropped):
    """It is to be lost by a reset, not by an end."""


@dataclass(frozen=True)
class HttpRequest:
    """Header names are in lower case."""

    method: str
    path: str  # as sent, with the query
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class HttpAnswer:
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Transport:
    """Listens until it is closed. `answer` does what a request asks, or raises Dropped."""

    def __init__(
        self,
        answer: Callable[[HttpRequest], HttpAnswer],
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.answer = answer
        self._context = context
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
        with suppress(OSError), connection:
            self._converse(connection)
        with self._lock:
            self._open.pop(connection, None)

    def _converse(self, connection: socket.socket) -> None:
        if self._context is None:
            _Conversation(connection, (LOOPBACK, 0), cast(Any, self))
            return
        wrapped = self._context.wrap_socket(
            connection.dup(), server_side=True, do_handshake_on_connect=False
        )
        with wrapped:
            wrapped.do_handshake()
            _Conversation(wrapped, (LOOPBACK, 0), cast(Any, self))


class _Conversation(BaseHTTPRequestHandler):
    """One connection, kept for as many requests as the client likes."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    server: Any

    def do(self) -> None:
        headers = {key.lower(): value for key, value in self.headers.items()}
        request = HttpRequest(self.command, self.path, headers, self._body())
        try:
            answer = self.server.answer(request)
        except Reset:
            at_once = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
            raise
        self.send_response_only(answer.status)
        for key, value in answer.headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)
        self.wfile.flush()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do  # noqa: N815

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return b"".join(self._chunks())
        return self._read(int(self.headers.get("Content-Length") or 0))

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self._line().split(b";")[0], 16):
            yield self._read(size)
            self._line()
        while self._line() != b"\r\n":
            pass  # trailers say nothing here

    def _line(self) -> bytes:
        line = self.rfile.readline()
        if not line:
            raise ConnectionError("the client went away")
        return line

    def _read(self, length: int) -> bytes:
        """All of it, since half a request has no effect."""
        content = self.rfile.read(length) if length else b""
        if len(content) < length:
            raise ConnectionError("the client went away")
        return content
