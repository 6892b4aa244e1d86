"""Applications served on loopback, as the product's server serves them."""

import socket
import threading
from collections.abc import Callable, Iterator

import pytest
import uvicorn
from starlette.types import ASGIApp

from services.payments.inbox import Endpoint
from tests.waiting import until


@pytest.fixture
def listen() -> Iterator[Callable[[ASGIApp | Endpoint], int]]:
    """Serve an application until the test ends; gives its port."""
    running: list[tuple[uvicorn.Server, threading.Thread]] = []

    def start(application: ASGIApp | Endpoint) -> int:
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)  # named as TCP above, else asyncio waits 40 ms before each answer's last part
        server = uvicorn.Server(uvicorn.Config(application, log_level="error", lifespan="off", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        running.append((server, thread))
        until(lambda: server.started, "the application to be served")
        port: int = listening.getsockname()[1]
        return port

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join()
