"""Every table of every domain, gathered in one register."""

from services.identity import tables as identity
from services.ledger import tables as ledger
from services.marketplace import tables as marketplace
from services.payments import tables as payments
from services.runtime import audit, events, idempotency
from services.runtime.database import Base

DOMAINS = (identity, ledger, payments, marketplace, audit, events, idempotency)
metadata = Base.metadata
