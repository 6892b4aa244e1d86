"""Who looks at the page; the only reader of the identity that the gate hands over."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from uuid import UUID

import streamlit as st

from app.wiring import wired
from services.identity import signin
from services.identity.signin import Session
from services.kernel.actor import Actor, system
from services.kernel.errors import Forbidden
from services.kernel.ids import SessionId

_SHELL = system("shell")
_behind: ContextVar[SessionId | None] = ContextVar("behind", default=None)


def current_user() -> Actor | None:
    """The person whose session this page belongs to, asked of Postgres each time; None once it has ended."""
    session = current_session()
    return session.actor if session else None


def current_session() -> Session | None:
    """The valid session behind this page, if there still is one."""
    session_id = _behind.get() or handed()
    if session_id is None:
        return None
    with wired().works.begin(_SHELL) as work:
        return signin.session_by_id(work, session_id)


def handed() -> SessionId | None:
    """The session that the gate handed over with this page; whether it still is valid is another question."""
    found = st.user.to_dict().get("session_id")
    return SessionId(UUID(found)) if isinstance(found, str) else None


@contextmanager
def behind(session_id: SessionId | None) -> Iterator[None]:
    """Read as the person of a session where no page runs, such as while a file is written for a download."""
    before = _behind.set(session_id)
    try:
        yield
    finally:
        _behind.reset(before)


def now() -> datetime:
    """The present instant by the process's clock."""
    return wired().works.clock.now()


def require_user() -> Actor:
    """The person who looks. Raises Forbidden (`session_ended`) when nobody does any more."""
    person = current_user()
    if person is None:
        raise Forbidden("session_ended", "Your session has ended. Please sign in again.")
    return person
