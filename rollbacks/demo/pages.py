"""The web page each host of the demo serves: what is in its `current`, at this moment."""

import mimetypes
import socketserver
import threading
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit


class PageServer(socketserver.ThreadingTCPServer):
    """Serves a directory on a free loopback port."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, root: Path) -> None:
        super().__init__(("127.0.0.1", 0), partial(_Request, root))
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Request(BaseHTTPRequestHandler):
    """`/healthz` says whether there is a page; everything else is a file."""

    def __init__(self, root: Path, *args: Any) -> None:
        # Resolved once, so that one answer never mixes two releases.
        self._root = root.resolve()
        super().__init__(*args)

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if not (self._root / "index.html").is_file():
            self._send(HTTPStatus.SERVICE_UNAVAILABLE, b"Nothing is deployed here.\n")
        elif path == "/healthz":
            self._send(HTTPStatus.OK, b"ok\n")
        else:
            self._send_file((self._root / path.lstrip("/")).resolve())

    def _send_file(self, file: Path) -> None:
        if file == self._root:
            file /= "index.html"
        if not file.is_relative_to(self._root) or not file.is_file():
            self._send(HTTPStatus.NOT_FOUND, b"There is no such page.\n")
            return
        content_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        self._send(HTTPStatus.OK, file.read_bytes(), content_type)

    def _send(self, status: HTTPStatus, body: bytes, content_type: str = "text/plain") -> None:
        if content_type.startswith("text/"):
            content_type += "; charset=utf-8"
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Say nothing: health checks are many."""
