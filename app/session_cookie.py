"""The cookie that carries a session's token."""

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import Response
from starlette.types import Scope

from services.identity.signin import SESSION_LIFE

PLAIN = "bursar_session"
SECURE = f"__Host-{PLAIN}"
_SAFE_SCHEMES = frozenset({"https", "wss"})


def token_in(scope: Scope) -> str | None:
    """The token that a request carries; over https only the cookie that no other host can set counts."""
    cookies = cookie_parser("; ".join(Headers(scope=scope).getlist("cookie")))
    return cookies.get(_name(scope)) or None


def put(response: Response, scope: Scope, token: str) -> None:
    """Give the browser the token, out of reach of scripts and of other sites' requests."""
    response.set_cookie(
        _name(scope),
        token,
        max_age=int(SESSION_LIFE.total_seconds()),
        httponly=True,
        secure=is_secure(scope),
        samesite="lax",
        path="/",
    )


def clear(response: Response, scope: Scope) -> None:
    """Let the browser forget the token."""
    response.delete_cookie(_name(scope), httponly=True, secure=is_secure(scope), samesite="lax", path="/")


def is_secure(scope: Scope) -> bool:
    """Whether the request came over an encrypted connection."""
    return scope["scheme"] in _SAFE_SCHEMES


def _name(scope: Scope) -> str:
    return SECURE if is_secure(scope) else PLAIN
