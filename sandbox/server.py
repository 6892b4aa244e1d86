"""The process: one ASGI application on loopback, the delivery task beside it, state in the data folder."""

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, cast

import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application

from sandbox import api, control, pages, viewer
from sandbox.delivery import Courier
from sandbox.ids import token
from sandbox.markup import notice, page
from sandbox.running import Sandbox
from sandbox.store import Store
from sandbox.version import API_VERSION

_HOST = "127.0.0.1"
_KEY_FILE = "secret_key"
_KEY_PREFIX = "sk_test_"
_PRUNE_SECONDS = 3_600


class RefusedError(Exception):
    """The sandbox will not start like this; the message says what would be right."""


class _Protocol(H11Protocol):
    """HTTP/1.1 whose connection the application may drop, for answers that get lost."""

    def connection_made(  # type: ignore[override]  # uvicorn narrows the transport like this itself
        self, transport: asyncio.Transport
    ) -> None:
        super().connection_made(transport)
        inner = self.app

        async def droppable(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("extensions", {})["sandbox.abort"] = transport.abort
            await cast("ASGIApp", inner)(scope, receive, send)

        self.app = cast("ASGI3Application", droppable)


class Application:
    """Every address of the sandbox."""

    def __init__(self, box: Sandbox) -> None:
        self._box = box

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        response = await self._answer(Request(scope, receive, send))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        path = request.url.path
        if path.startswith("/v1/"):
            return await api.answer(self._box, request)
        if path.startswith("/_control/"):
            return await control.answer(self._box, request)
        if path.startswith("/c/pay/"):
            return await pages.payment_page(self._box, request, path.removeprefix("/c/pay/"))
        if path.startswith("/authenticate/"):
            return await pages.authentication_page(self._box, request, path.removeprefix("/authenticate/"))
        if path == "/":
            return viewer.answer(self._box)
        return page("Not found", notice("There is nothing here.", "Start at the viewer, /."), 404)


def secret_key(data: Path, environment: Mapping[str, str]) -> str:
    """The key that the sandbox accepts: from the environment, else kept in the data folder."""
    if environment.get("BURSAR_STRIPE_SECRET_KEY", "").startswith("sk_live_"):
        raise RefusedError(
            "BURSAR_STRIPE_SECRET_KEY is a live key; the sandbox does not start beside one. Unset it."
        )
    given = environment.get("BURSAR_SANDBOX_SECRET_KEY")
    if given is not None:
        if not given.startswith(_KEY_PREFIX):
            raise RefusedError(f"BURSAR_SANDBOX_SECRET_KEY must start with {_KEY_PREFIX}.")
        return given
    kept = data / _KEY_FILE
    if not kept.exists():
        with os.fdopen(os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(_KEY_PREFIX + token(24))
    return kept.read_text().strip()


def listening(port: int) -> socket.socket:
    """A socket on loopback; port 0 takes a free one.

    The protocol is named because asyncio sets TCP_NODELAY only then: without it every answer takes 44 ms.
    """
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((_HOST, port))
    except OSError as problem:
        bound.close()
        raise RefusedError(
            f"Port {port} on {_HOST} cannot be used: {problem.strerror}. Choose another."
        ) from None
    bound.listen(2_048)
    return bound


def serve(port: int, data: Path, environment: Mapping[str, str] | None = None) -> None:
    """Run until SIGTERM or SIGINT; prints one JSON line when it listens."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(name)s: %(message)s")
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = secret_key(data, os.environ if environment is None else environment)
    bound = listening(port)
    base_url = f"http://{_HOST}:{bound.getsockname()[1]}"
    store = Store(data / "sandbox.sqlite")
    box = Sandbox.opened(store, base_url=base_url, secret_key=key)
    config = uvicorn.Config(
        Application(box),
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=1,
        server_header=False,
    )
    server = uvicorn.Server(config)
    _stop_on_signals(server)
    try:
        asyncio.run(_run(box, server, bound, data))
    finally:
        store.close()


def _stop_on_signals(server: uvicorn.Server) -> None:
    """End cleanly, with code 0, on a signal at any moment.

    While it serves, uvicorn listens for signals itself and raises them again when it has stopped; before
    and after that they come here.
    """

    def stop(_number: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)


async def _run(box: Sandbox, server: uvicorn.Server, bound: socket.socket, data: Path) -> None:
    async with _beside(box):
        line = {
            "event": "sandbox.started",
            "url": box.base_url,
            "data": str(data),
            "api_version": API_VERSION,
        }
        print(json.dumps(line), flush=True)  # noqa: T201 - the one line that says where it listens
        await server.serve(sockets=[bound])


@contextlib.asynccontextmanager
async def _beside(box: Sandbox) -> AsyncIterator[None]:
    """The tasks that run while the server does."""
    tasks = [asyncio.create_task(Courier(box).run()), asyncio.create_task(_prune(box))]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _prune(box: Sandbox) -> None:
    while True:
        box.prune()
        await asyncio.sleep(_PRUNE_SECONDS)
