"""Told to stop, a worker leaves no connection behind, not even one that is just beginning."""

import gc
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress

import pytest

from rollbacks.platforms import everywhere
from rollbacks.platforms.asking import Asking
from rollbacks.platforms.base import Stopped
from rollbacks.platforms.kubernetes.access import Access
from rollbacks.platforms.kubernetes.cluster import opened
from rollbacks.platforms.kubernetes.kinds import POD
from rollbacks.platforms.ssh.settings import HealthCheck
from tests.platforms.ssh.control import RecordingControl


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """Takes connections, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


async def of_a_cluster(url: str) -> None:
    async with opened(Access(url, ssl.create_default_context()), "shop") as cluster:
        await cluster.get(POD, "web")


async def of_a_host(url: str) -> None:
    asking = Asking()
    try:
        await asking.ask(url, HealthCheck(url=url), 60)
    finally:
        await asking.close()


@pytest.mark.parametrize("ask", [of_a_cluster, of_a_host])
def test_a_handshake_that_is_stopped_ends_its_connection(
    ask: Callable[[str], Awaitable[None]], silent: socket.socket
) -> None:
    taken: list[socket.socket] = []

    class Control(RecordingControl):
        def checkpoint(self) -> None:
            with suppress(BlockingIOError):
                taken.append(silent.accept()[0])
                raise Stopped("told to")

    async def work() -> None:
        await ask(f"https://127.0.0.1:{silent.getsockname()[1]}")

    gc.disable()  # it would end the connection, too, one day
    try:
        with pytest.raises(Stopped):
            everywhere.run(work(), Control(), 1)
        with taken[0] as connection:
            connection.settimeout(10)
            while connection.recv(4096):
                pass
    finally:
        gc.enable()
