"""Ports on loopback that nothing listens on, of those that no system hands out by itself."""

import socket
from collections.abc import Iterator
from typing import Final

END: Final = 32_768  # systems hand out those from here on


class NoneFree(Exception):
    """Every port from the first on is taken."""


def free(first: int) -> Iterator[int]:
    """Hand out free ports from *first* on, each once; raises NoneFree after the last."""
    yield from (port for port in range(first, END) if is_free(port))
    raise NoneFree(f"no port from {first} to {END - 1} is free")


def is_free(port: int) -> bool:
    """Return whether a program could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
