"""The movements of our balance at the processor, newest ones again each time, in case some came late."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

import pyarrow as pa  # type: ignore[import-untyped]  # it carries no types

from warehouse.contracts import BALANCE_TRANSACTIONS

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


class Movement(Protocol):
    """One movement as the gateway tells it: amount less fee is net, in minor units."""

    @property
    def balance_transaction_id(self) -> str: ...  # noqa: D102 - a field
    @property
    def source_id(self) -> str | None: ...  # noqa: D102 - a field
    @property
    def kind(self) -> str: ...  # noqa: D102 - a field
    @property
    def amount_minor(self) -> int: ...  # noqa: D102 - a field
    @property
    def fee_minor(self) -> int: ...  # noqa: D102 - a field
    @property
    def net_minor(self) -> int: ...  # noqa: D102 - a field
    @property
    def currency(self) -> str: ...  # noqa: D102 - a field
    @property
    def created_at(self) -> datetime: ...  # noqa: D102 - a field
    @property
    def available_on(self) -> date: ...  # noqa: D102 - a field
    @property
    def reporting_category(self) -> str: ...  # noqa: D102 - a field


class Processor(Protocol):
    """What is asked of the gateway."""

    def balance_transactions(self, created_from: datetime) -> Iterator[Movement]:
        """Every movement since an instant. Raises Unavailable when the processor does not answer."""
        ...


def movements(processor: Processor, *, since: datetime | None) -> pa.Table:
    """What moved since the newest movement that is known, with an overlap; everything without one."""
    start = since - OVERLAP if since else BEGINNING
    found = [_row(movement) for movement in processor.balance_transactions(start)]
    return pa.Table.from_pylist(found, schema=_SCHEMA)


def newest(rows: pa.Table, before: datetime | None) -> datetime | None:
    """The instant of the newest movement that is known now."""
    instants = [at.replace(tzinfo=UTC) for at in rows["created_at"].to_pylist()]
    return max([*instants, before] if before else instants, default=None)


def _row(movement: Movement) -> dict[str, object]:
    told = {name: getattr(movement, name) for name in BALANCE_TRANSACTIONS.columns}
    told["created_at"] = movement.created_at.astimezone(UTC).replace(tzinfo=None)
    return {"row_key": movement.balance_transaction_id, **told}
