"""The HTTPS listener of a host: logins, message encryption, envelopes; and the pages of its IIS."""

import socket
import ssl
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.ports import LOOPBACK
from tests.winrm.host import wsman
from tests.winrm.host.logins import Login, Logins
from tests.winrm.host.shells import Lost, Shells
from tests.winrm.host.windows import Windows
from tests.winrm.host.wsman import Fault

_SEALED = "multipart/encrypted"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    listener: "Listener | None" = None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news; what else goes wrong, a test must see."""


class Listener:
    """`paused`: cleared, it accepts connections and says nothing any more."""

    def __init__(
        self,
        shells: Shells,
        logins: Logins,
        context: ssl.SSLContext,
        port: int,
        address: str = LOOPBACK,
    ) -> None:
        self.shells = shells
        self.logins = logins
        self.context = context
        self.paused = threading.Event()
        self.paused.set()
        self.requests: list[str] = []
        self.faults: list[BaseException] = []
        self.answers: dict[str, int] = {}
        self.port = port
        self._server = _Server((address, port), _Handler)
        self._server.listener = self
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self.paused.set()
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    disable_nagle_algorithm = True

    @property
    def listener(self) -> Listener:
        assert isinstance(self.server, _Server)
        assert self.server.listener is not None
        return self.server.listener

    def setup(self) -> None:
        self.listener.paused.wait()
        self.request = self.listener.context.wrap_socket(self.request, server_side=True)
        self.login = Login(self.listener.logins)
        super().setup()

    def handle(self) -> None:
        with suppress(OSError):
            super().handle()

    def finish(self) -> None:
        with suppress(OSError, ValueError):
            super().finish()
            self.request.close()

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.listener.paused.wait()
        if status := self.listener.answers.get(self.path):
            self._answer(status, b"", "text/plain")
            return
        is_new = self.login.principal is None or "Authorization" in self.headers
        if is_new and (
            refused := self.login.heard(self.headers["Authorization"] or "", self.request)
        ):
            self._answer(401, b"", "text/plain", *refused)
            return
        try:
            self._serve(content)
        except Lost:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            raise  # the client went away
        except Exception as error:
            self.listener.faults.append(error)
            raise

    def _refused(self) -> list[str]:
        """What to answer to whom we do not know."""
        header = self.headers["Authorization"] or ""
        if self.login.principal is not None and not header:
            return []
        return self.login.heard(header, self.request)

    def _serve(self, content: bytes) -> None:
        if not content:
            self._answer(200, b"", "application/soap+xml;charset=UTF-8")
            return
        kind = self.headers["Content-Type"]
        is_sealed = kind.startswith(_SEALED)
        if is_sealed:
            content = self.login.encryption().unwrap_message(content, "Encrypted Boundary")
        request = wsman.parsed(content)
        self.listener.requests.append(request.action)
        assert self.login.principal is not None, "nobody was let in"
        status = 200
        try:
            body = self.listener.shells.serve(request, self.login.principal)
            answer = wsman.answer(request, body)
        except Fault as fault:
            status, answer = 500, wsman.fault(request, fault)
        kind = "application/soap+xml;charset=UTF-8"
        if is_sealed:
            encryption = self.login.encryption()
            sealed, answer = encryption.wrap_message(answer)
            kind = f'{sealed};protocol="{encryption.protocol}";boundary="Encrypted Boundary"'
        self._answer(status, answer, kind)

    def _answer(self, status: int, content: bytes, kind: str, *offers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        for offer in offers or self.login.farewell:
            self.send_header("WWW-Authenticate", offer)
        self.login.farewell = []
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


class Pages:
    """What IIS answers on one of its ports."""

    def __init__(self, windows: Windows, port: int) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                application = f"/{self.path.strip('/')}"
                status, text = windows.served(port, application)
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: Any) -> None:
                """Nobody reads it."""

        self._server = _Server((LOOPBACK, port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
