"""Who looks at the page; the only reader of the identity that the gate hands over."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
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
RECHECK_AFTER = 1.0
"""Seconds for which the parts of one run believe its first answer; each run, and each beat, asks anew."""


@dataclass(frozen=True, slots=True)
class _Checked:
    session_id: SessionId
    session: Session | None
    at: float


_checked: ContextVar[_Checked | None] = ContextVar("checked", default=None)
_behind: ContextVar[SessionId | None] = ContextVar("behind", default=None)


def current_user() -> Actor | None:
    """The person whose session this page belongs to, as Postgres says; None once it has ended."""
    session = current_session()
    return session.actor if session else None


def current_session() -> Session | None:
    """The valid session behind this page, if there still is one."""
    session_id = _behind.get() or handed()
    if session_id is None:
        return None
    known = _checked.get()
    if known and known.session_id == session_id and time.monotonic() - known.at < RECHECK_AFTER:
        return known.session
    with wired().works.begin(_SHELL) as work:
        found = signin.session_by_id(work, session_id)
    _checked.set(_Checked(session_id, found, time.monotonic()))
    return found


def check_again() -> None:
    """A run begins: whoever is asked for next is asked of Postgres."""
    _checked.set(None)


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
