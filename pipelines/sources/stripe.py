"""The movements of our balance at the processor, newest ones again each time, in case some came late."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]  # it carries no types

from services.stripe.gateway import Gateway

SOURCE = "stripe"
OVERLAP = timedelta(hours=1)
BEGINNING = datetime(2010, 1, 1, tzinfo=UTC)  # before there was a processor

_SCHEMA = pa.schema(
    [
        ("row_key", pa.string()),
        ("balance_transaction_id", pa.string()),
        ("source_id", pa.string()),
        ("kind", pa.string()),
        ("amount_minor", pa.int64()),
        ("fee_minor", pa.int64()),
        ("net_minor", pa.int64()),
        ("currency", pa.string()),
        ("created_at", pa.timestamp("us")),
        ("available_on", pa.date32()),
        ("reporting_category", pa.string()),
    ]
)


def movements(gateway: Gateway, *, since: datetime | None) -> pa.Table:
    """What moved since the newest movement that is known, with an overlap; everything without one."""
    start = since - OVERLAP if since else BEGINNING
    found = [_row(asdict(movement)) for movement in gateway.balance_transactions(start)]
    return pa.Table.from_pylist(found, schema=_SCHEMA)


def newest(rows: pa.Table, before: datetime | None) -> datetime | None:
    """The instant of the newest movement that is known now."""
    instants = [at.replace(tzinfo=UTC) for at in rows["created_at"].to_pylist()]
    return max([*instants, before] if before else instants, default=None)


def _row(told: dict[str, Any]) -> dict[str, object]:
    at = told["created_at"].astimezone(UTC).replace(tzinfo=None)
    return {**told, "row_key": told["balance_transaction_id"], "created_at": at}
