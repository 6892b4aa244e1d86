"""People, what they are to the platform, their sessions, and the counts that slow down guessing."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from services.runtime.database import Base, exported

ROLES = "'learner', 'instructor', 'org_admin', 'support', 'support_lead', 'finance', 'founder', 'operator'"


@exported("user_id", "name", "status", "created_at")
class UserAccount(Base):
    """One person; the e-mail is stored in lower case."""

    __tablename__ = "user_account"
    __table_args__ = (
        UniqueConstraint("email"),
        CheckConstraint("email = lower(email)", name="email"),
        CheckConstraint("status IN ('active', 'closed')", name="status"),
    )

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str]
    name: Mapped[str]
    password_hash: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="active")
    created_at: Mapped[datetime]


class UserRole(Base):
    """One thing that a person is to the platform."""

    __tablename__ = "user_role"
    __table_args__ = (CheckConstraint(f"role IN ({ROLES})", name="role"),)

    user_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.user_id"), primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)


class UserSession(Base):
    """One sign-in; only the hash of its token is kept."""

    __tablename__ = "user_session"
    __table_args__ = (UniqueConstraint("token_hash"), Index(None, "user_id"))

    session_id: Mapped[UUID] = mapped_column(primary_key=True)
    token_hash: Mapped[bytes]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.user_id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class SigninCount(Base):
    """How often one e-mail or one address tried to sign in since the start of its window."""

    __tablename__ = "signin_count"

    subject_hash: Mapped[bytes] = mapped_column(primary_key=True)
    window_from: Mapped[datetime]
    try_count: Mapped[int]
