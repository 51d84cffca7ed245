"""Ports for servers of tests, so that several test processes and their clients do not collide."""

import random
import socket
import ssl

LOOPBACK = "127.0.0.1"
# For what is asked without TLS: else httpx reads every authority of the web for each request first.
NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
# Below what kernels hand to clients (Linux from 32768, others from 49152): a port asked for with 0
# is free now, and may be some client's own by the time a server listens on it.
_FOR_SERVERS = range(20_000, 32_000)
_chance = random.SystemRandom()  # a seed would give every test process the same ports


def free_port() -> int:
    """One that nobody listens on, and that no client will be given."""
    while True:
        port = _chance.choice(_FOR_SERVERS)
        with socket.socket() as probe:
            # As servers do: what remains of closed connections does not take a port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return port
