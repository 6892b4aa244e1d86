"""Whether a request was made by a page of ours."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

_OWN_FETCHES = frozenset({"same-origin", "none"})


def is_own(scope: Scope) -> bool:
    """Whether the request names our own host as its origin."""
    headers = Headers(scope=scope)
    origin = headers.get("origin", "")
    return bool(origin) and _netloc(origin) == headers.get("host", "")


def is_foreign(scope: Scope) -> bool:
    """Whether the request says that another site made it; one that says nothing was no browser's."""
    headers = Headers(scope=scope)
    if "origin" in headers:
        return not is_own(scope)
    return headers.get("sec-fetch-site", "none") not in _OWN_FETCHES


def own_path(wanted: str) -> str:
    """A path of ours to go on to, or the first page when the wanted one leads elsewhere."""
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return "/"
    leads_away = parts.scheme or parts.netloc or "\\" in wanted or not wanted.isprintable()
    return "/" if leads_away or not wanted.startswith("/") or wanted.startswith("//") else wanted


def _netloc(address: str) -> str | None:
    try:
        return urlsplit(address).netloc
    except ValueError:
        return None
