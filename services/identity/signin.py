"""Signing in and out, and who a session belongs to."""

import hashlib
import secrets
import threading
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from sqlalchemy import ColumnElement, Select, case, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.dialects.postgresql import insert as upsert

from services.identity.people import HASHER, LONGEST_PASSWORD
from services.identity.tables import SigninCount, UserAccount, UserRole, UserSession
from services.kernel import ids
from services.kernel.actor import Actor, Role, system
from services.kernel.errors import Forbidden, Unavailable
from services.kernel.ids import SessionId, UserId
from services.runtime.work import Work, Works

SESSION_LIFE = timedelta(hours=12)
MOST_TRIES = 10
WINDOW = timedelta(minutes=5)
HASHES_AT_ONCE = 2
LONGEST_WAIT = 5.0

_hashing = threading.BoundedSemaphore(HASHES_AT_ONCE)
_DOOR = system("signin")


@dataclass(frozen=True, slots=True)
class Session:
    """One valid sign-in and the person behind it."""

    session_id: SessionId
    actor: Actor
    email: str


def sign_in(works: Works, *, email: str, password: str, address: str) -> str:
    """Check a password and open a session; gives its token, which is stored nowhere.

    The tries are counted per e-mail and per network address before the password is looked at; a success
    takes its own back. No transaction is open while the password is hashed, and an unknown e-mail costs the
    same hash.
    Raises Forbidden (`signin_failed`, `too_many_tries`) and Unavailable.
    """
    wanted = email.strip().lower()
    with works.begin(_DOOR) as work:
        is_over = max(_count(work, f"email:{wanted}"), _count(work, f"address:{address}")) > MOST_TRIES
        found = work.run(
            select(UserAccount.user_id, UserAccount.password_hash).where(
                UserAccount.email == wanted, UserAccount.status == "active"
            )
        ).one_or_none()
    if is_over:
        raise Forbidden("too_many_tries", "Too many tries to sign in. Please wait five minutes.")
    if not _fits(password, found.password_hash if found else _nobody()) or found is None:
        raise Forbidden("signin_failed", "This e-mail and password do not belong together.")
    with works.begin(_DOOR) as work:
        _uncount(work, email=f"email:{wanted}", address=f"address:{address}")
        return _open(work, UserId(found.user_id))


def session_of(work: Work, token: str) -> Session | None:
    """The valid session that a token opens, if there is one."""
    return _session_where(work, UserSession.token_hash == _digest(token))


def session_by_id(work: Work, session_id: SessionId) -> Session | None:
    """The session with an identifier, as long as it is valid."""
    return _session_where(work, UserSession.session_id == session_id)


def sign_out(work: Work, *, token: str) -> None:
    """End the session that a token opens; ending it again changes nothing."""
    ended = work.run(
        update(UserSession)
        .where(UserSession.token_hash == _digest(token), UserSession.ended_at.is_(None))
        .values(ended_at=work.now)
        .returning(UserSession.session_id)
    ).first()
    if ended:
        work.audit("session.ended", "session", ended.session_id)


def _open(work: Work, user_id: UserId) -> str:
    token = secrets.token_urlsafe(32)
    session_id = ids.fresh(work.now)
    work.run(
        insert(UserSession).values(
            session_id=session_id,
            token_hash=_digest(token),
            user_id=user_id,
            created_at=work.now,
            expires_at=work.now + SESSION_LIFE,
        )
    )
    work.audit("session.opened", "session", session_id, user_id=str(user_id))
    return token


def _session_where(work: Work, matches: ColumnElement[bool]) -> Session | None:
    row = work.run(_valid_sessions().where(matches, UserSession.expires_at > work.now)).one_or_none()
    if row is None:
        return None
    roles = frozenset(Role(role) for role in row.roles if role is not None)
    actor = Actor(name=row.name, user_id=UserId(row.user_id), roles=roles)
    return Session(SessionId(row.session_id), actor, row.email)


def _valid_sessions() -> Select[*tuple[object, ...]]:
    person = (UserSession.session_id, UserAccount.user_id, UserAccount.name, UserAccount.email)
    return (
        select(*person, func.array_agg(aggregate_order_by(UserRole.role, UserRole.role)).label("roles"))
        .join(UserAccount, UserAccount.user_id == UserSession.user_id)
        .outerjoin(UserRole, UserRole.user_id == UserAccount.user_id)
        .where(UserSession.ended_at.is_(None), UserAccount.status == "active")
        .group_by(*person)
    )


def _count(work: Work, subject: str) -> int:
    """Count one more try of a subject; gives the tries of its present window."""
    fresh = upsert(SigninCount).values(subject_hash=_digest(subject), window_from=work.now, try_count=1)
    is_old = SigninCount.window_from <= work.now - WINDOW
    counted = fresh.on_conflict_do_update(
        index_elements=["subject_hash"],
        set_={
            "window_from": case((is_old, work.now), else_=SigninCount.window_from),
            "try_count": case((is_old, 1), else_=SigninCount.try_count + 1),
        },
    ).returning(SigninCount.try_count)
    return work.run(counted).scalar_one()


def _uncount(work: Work, *, email: str, address: str) -> None:
    """After a success: the e-mail starts anew, and the address is charged with its failures only."""
    work.run(delete(SigninCount).where(SigninCount.subject_hash == _digest(email)))
    work.run(
        update(SigninCount)
        .where(SigninCount.subject_hash == _digest(address))
        .values(try_count=SigninCount.try_count - 1)
    )


def _fits(password: str, password_hash: str) -> bool:
    if len(password) > LONGEST_PASSWORD:
        return False
    if not _hashing.acquire(timeout=LONGEST_WAIT):
        raise Unavailable("signin_busy", "Many people are signing in. Please try again in a moment.")
    try:
        return HASHER.verify(password, password_hash)
    finally:
        _hashing.release()


@cache
def _nobody() -> str:
    return HASHER.hash(secrets.token_urlsafe(16))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
