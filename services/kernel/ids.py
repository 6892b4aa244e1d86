"""Typed identifiers that sort by the time at which they were made."""

import secrets
from datetime import datetime
from typing import NewType
from uuid import UUID

UserId = NewType("UserId", UUID)
SessionId = NewType("SessionId", UUID)
CourseId = NewType("CourseId", UUID)
RuleId = NewType("RuleId", UUID)
QuoteId = NewType("QuoteId", UUID)
PurchaseId = NewType("PurchaseId", UUID)
LineId = NewType("LineId", UUID)
PaymentId = NewType("PaymentId", UUID)
RefundId = NewType("RefundId", UUID)
EnrolmentId = NewType("EnrolmentId", UUID)
JournalId = NewType("JournalId", UUID)

_VERSION_7 = 0x7 << 76
_VARIANT = 0b10 << 62


def fresh(at: datetime) -> UUID:
    """A new identifier (UUID version 7, RFC 9562) that sorts after those of earlier milliseconds."""
    milliseconds = int(at.timestamp() * 1000)
    random_a = secrets.randbits(12)
    random_b = secrets.randbits(62)
    return UUID(int=milliseconds << 80 | _VERSION_7 | random_a << 64 | _VARIANT | random_b)
