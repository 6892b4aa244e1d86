"""Ports on the loopback interface for the servers that Bursar starts itself."""

import random
import socket
from collections.abc import Iterator
from pathlib import Path

RANGE = range(20_000, 32_000)  # below the range from which the system takes ports of outgoing connections
_TRIES = 20


def free(remembered: Path) -> Iterator[int]:
    """Ports nobody listens on: first the one remembered in the file, so that clients find a server again."""
    known = [int(remembered.read_text())] if remembered.exists() else []
    for port in [*known, *random.sample(RANGE, _TRIES)]:
        if is_free("127.0.0.1", port):
            yield port


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    return obstacle(host, port) is None


def obstacle(host: str, port: int) -> OSError | None:
    """What keeps a server from listening there now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error
    return None
