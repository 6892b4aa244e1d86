"""Who comes in: every request passes here before Streamlit sees it."""

import re
from collections.abc import Callable
from urllib.parse import quote

import anyio
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app import origin, session_cookie
from app.document import Document
from services.identity.signin import Session
from services.kernel.actor import Actor

OUR_HEADERS = b"x-bursar-"
SESSION_HEADER = b"x-bursar-session"
STREAM = "/_stcore/stream"
CLOSED = ("/_stcore/metrics", "/_stcore/script-health-check", "/_stcore/agent/", "/auth/", "/oauth2callback")
OPEN = frozenset(
    {"/_stcore/health", "/_stcore/host-config", "/login", "/logout", "/checkout", "/healthz", "/readyz"}
)
OPEN_FOLDERS = ("/static/", "/app/static/")
GUARDED = ("/media/", "/component/", "/_stcore/")
API = "/api/"
READING = frozenset({"GET", "HEAD"})

_PAGE = re.compile(r"/[a-z0-9_-]*/?")

FindSession = Callable[[str], Session | None]
FindAddress = Callable[[Actor, str], str]


class Gate:
    """Strips identity headers, sets them from the session, and turns strangers away."""

    def __init__(
        self, app: ASGIApp, *, find_session: FindSession, find_address: FindAddress, document: Document
    ) -> None:
        self.app = app
        self.find_session = find_session
        self.find_address = find_address
        self.document = document

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Judge one request."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        scope["headers"] = [pair for pair in scope["headers"] if not pair[0].lower().startswith(OUR_HEADERS)]
        judge = self._websocket if scope["type"] == "websocket" else self._http
        await (await judge(scope))(scope, receive, send)

    async def _websocket(self, scope: Scope) -> ASGIApp:
        if scope["path"] != STREAM or not origin.is_own(scope) or not await self._is_let_in(scope):
            return _refuse_websocket
        return self.app

    async def _http(self, scope: Scope) -> ASGIApp:
        path: str = scope["path"]
        if path.startswith(CLOSED):
            return PlainTextResponse("Not found", 404)
        if path in OPEN or path.startswith(OPEN_FOLDERS):
            return self.app
        if path.startswith(API):
            return await self._api(scope)
        if path.startswith(GUARDED):
            return self.app if await self._is_let_in(scope) else PlainTextResponse("Please sign in", 403)
        return await self._page(scope)

    async def _api(self, scope: Scope) -> ASGIApp:
        is_cross_site = (
            scope["method"] not in READING and "cookie" in Headers(scope=scope) and origin.is_foreign(scope)
        )
        return PlainTextResponse("Requests of other sites are refused", 403) if is_cross_site else self.app

    async def _page(self, scope: Scope) -> ASGIApp:
        if not _PAGE.fullmatch(scope["path"]) or scope["method"] not in READING:
            return PlainTextResponse("Not found", 404)
        session = await self._session(scope)
        if session is None:
            return _to_sign_in(scope)
        address = self.find_address(session.actor, scope["path"].strip("/"))
        if address != scope["path"]:
            return RedirectResponse(f"{address}{_query(scope)}", 303, headers={"cache-control": "no-store"})
        zips = "gzip" in Headers(scope=scope).get("accept-encoding", "")
        headers = {"cache-control": "no-store", "vary": "accept-encoding"} | (
            {"content-encoding": "gzip"} if zips else {}
        )
        return Response(
            self.document.zipped if zips else self.document.plain, media_type="text/html", headers=headers
        )

    async def _is_let_in(self, scope: Scope) -> bool:
        session = await self._session(scope)
        if session is not None:
            scope["headers"].append((SESSION_HEADER, str(session.session_id).encode()))
        return session is not None

    async def _session(self, scope: Scope) -> Session | None:
        token = session_cookie.token_in(scope)
        return await anyio.to_thread.run_sync(self.find_session, token) if token else None


async def _refuse_websocket(_scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.close", "code": 1008})


def _query(scope: Scope) -> str:
    query = scope["query_string"].decode("latin-1")
    return f"?{query}" if query else ""


def _to_sign_in(scope: Scope) -> Response:
    wanted = scope["path"] + _query(scope)
    address = "/login" if wanted == "/" else f"/login?next={quote(wanted, safe='/')}"
    response = RedirectResponse(address, 303, headers={"cache-control": "no-store"})
    if session_cookie.token_in(scope):
        session_cookie.clear(response, scope)
    return response
