"""The sockets below WinRM: the last place to ask whether something may still be sent.

Between a checkpoint and the system call that sends lie serializing, signing, perhaps a new
connection with a login of its own: time in which a worker may be stopped, to send when it wakes
what is no longer its own.
"""

import errno
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from requests.adapters import HTTPAdapter

from rollbacks.platforms.base import Stopped


class GuardedSocket(ssl.SSLSocket):
    """Asks right before each piece it sends; a host that got a part of a request does nothing."""

    def send(self, *args: Any, **options: Any) -> int:
        self._guard.require_allowed()
        return super().send(*args, **options)

    def do_handshake(self, block: bool = False) -> None:
        self._guard.opened.append(self)
        self._guard.require_open()
        super().do_handshake(block)

    @property
    def _guard(self) -> "Guard":
        guard = self.context
        assert isinstance(guard, Guard)
        return guard


class Guard(ssl.SSLContext):
    """Makes guarded sockets of one conversation with a host, and can end all of them.

    `stopped`: why something was not sent, whatever the library makes of it.
    """

    sslsocket_class = GuardedSocket

    def __init__(self, *_: Any) -> None:
        self.opened: list[GuardedSocket] = []
        self.stopped: Stopped | None = None
        self._checkpoint: Callable[[], None] | None = None
        self._is_ended = False

    @contextmanager
    def asking(self, checkpoint: Callable[[], None]) -> Iterator[None]:
        """While it lasts, nothing is sent unless the checkpoint lets it."""
        self._checkpoint = checkpoint
        try:
            yield
        finally:
            self._checkpoint = None

    def end(self) -> None:
        """Whoever waits in another thread for a host's answer gets an error instead, at once."""
        self._is_ended = True
        for each in self.opened:
            with suppress(OSError):
                socket.socket.shutdown(each, socket.SHUT_RDWR)

    def require_open(self) -> None:
        if self._is_ended:
            raise ConnectionAbortedError(errno.ECONNABORTED, "the conversation was ended")

    def require_allowed(self) -> None:
        self.require_open()
        if self._checkpoint is None:
            return
        try:
            self._checkpoint()
        except Stopped as reason:
            self.stopped = reason
            raise ConnectionAbortedError(errno.ECONNABORTED, str(reason)) from None


def guard_trusting(ca_certificates: str | None) -> Guard:
    """Trusts these authorities, or without them those of the system; raises OSError."""
    guard = Guard(ssl.PROTOCOL_TLS_CLIENT)
    if ca_certificates:
        guard.load_verify_locations(cafile=ca_certificates)
    else:
        guard.load_default_certs()
    return guard


class Adapter(HTTPAdapter):
    """Lets requests use the guard, which alone knows whom to trust and who we are."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options, ssl_context=self._guard)

    def cert_verify(self, *args: Any, **options: Any) -> None:
        """Else certificates of requests' own would be trusted beside."""
