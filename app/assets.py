"""Streamlit's scripts and styles, sent compressed: each is squeezed once and kept."""

import gzip
import mimetypes
from pathlib import Path

import anyio
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import file_util

PREFIX = "/static/"
WORTH_IT = frozenset({".js", ".css", ".json", ".svg", ".wasm", ".html"})
SMALLEST = 1_000
LEVEL = 6
FOREVER = "public, immutable, max-age=31536000"


class Squeezed:
    """The compressed form of the files of one folder, made at first use and kept in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._kept: dict[str, bytes] = {}

    def bytes_of(self, name: str) -> bytes | None:
        """The compressed file, or None when there is no such file or no gain."""
        if name not in self._kept:
            path = (self.folder / name).resolve()
            if not self._is_ours(path):
                return None
            self._kept[name] = gzip.compress(path.read_bytes(), LEVEL, mtime=0)
        return self._kept[name]

    def warm(self) -> None:
        """Squeeze everything, largest first, so that no browser waits for it."""
        paths = [path for path in self.folder.rglob("*") if self._is_ours(path)]
        for path in sorted(paths, key=lambda path: -path.stat().st_size):
            self.bytes_of(path.relative_to(self.folder).as_posix())

    def _is_ours(self, path: Path) -> bool:
        inside = path.is_relative_to(self.folder) and path.is_file()
        return inside and path.suffix in WORTH_IT and path.stat().st_size >= SMALLEST


class CompressedAssets:
    """Answers requests for static files in compressed form where the browser takes it."""

    def __init__(self, app: ASGIApp, *, squeezed: Squeezed) -> None:
        self.app = app
        self.squeezed = squeezed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a static file, or pass the request on."""
        if scope["type"] == "http" and scope["path"].startswith(PREFIX) and _takes_gzip(scope):
            name = scope["path"].removeprefix(PREFIX)
            body = await anyio.to_thread.run_sync(self.squeezed.bytes_of, name)
            if body is not None:
                headers = {"content-encoding": "gzip", "vary": "accept-encoding", "cache-control": FOREVER}
                media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
                await Response(body, media_type=media_type, headers=headers)(scope, receive, send)
                return
        await self.app(scope, receive, send)


def streamlit_assets() -> Squeezed:
    """The folder that Streamlit serves under /static/."""
    return Squeezed(Path(file_util.get_static_dir()) / "static")


def _takes_gzip(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    return (
        scope["method"] == "GET" and "gzip" in headers.get("accept-encoding", "") and "range" not in headers
    )
