"""Who calls the HTTP API: the person behind the session cookie."""

from typing import Annotated

from fastapi import Depends, Request

from services.identity import signin
from services.kernel.actor import Actor, system
from services.kernel.errors import Forbidden

COOKIES = {"https": "__Host-bursar_session", "http": "bursar_session"}
_DOOR = system("api")


def caller(request: Request) -> Actor:
    """The person whose session cookie came with a request. Raises Forbidden when there is none."""
    token = request.cookies.get(COOKIES.get(request.url.scheme, ""))
    if token:
        with request.app.state.works.begin(_DOOR) as work:
            session = signin.session_of(work, token)
        if session:
            return session.actor
    raise Forbidden("not_signed_in", "Please sign in first.")


Caller = Annotated[Actor, Depends(caller)]
