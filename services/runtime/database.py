"""Postgres: typed tables, the engine, the roles, and the views that other stores may read."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from alembic import command
from alembic.config import Config
from sqlalchemy import (
    BigInteger,
    Date,
    Engine,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    String,
    Text,
    Uuid,
    create_engine,
    make_url,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase, mapped_column

APP_ROLE = "bursar_app"
SYNC_ROLE = "bursar_sync"
WAKE_CHANNEL = "bursar_wake"
MIGRATIONS = Path(__file__).parent.parent / "migrations"

Small = Annotated[int, mapped_column(SmallInteger)]
Currency = Annotated[str, mapped_column(String(3))]
Facts = dict[str, Any]


class Base(DeclarativeBase):
    """The register of every table."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        UUID: Uuid,
        int: BigInteger,
        str: Text,
        datetime: TIMESTAMP(timezone=True),
        date: Date,
        bytes: LargeBinary,
        Decimal: Numeric(12, 2),
        Facts: JSONB,
    }


EXPORTED: dict[str, tuple[str, ...]] = {}


def exported(*columns: str) -> Any:  # noqa: ANN401 - a class decorator gives back the class it was given
    """Let a table be read by the pipelines: all of its columns, or the named ones, in the schema `export`."""

    def declare(table: type[Base]) -> type[Base]:
        EXPORTED[table.__tablename__] = columns or tuple(table.__table__.columns.keys())
        return table

    return declare


def row_key_columns(table: str) -> Sequence[str]:
    """The primary key of an exported table: what a changed row is known by."""
    return [column.name for column in Base.metadata.tables[table].primary_key.columns]


def connect(url: str, *, role: str = APP_ROLE, pool: int = 12) -> Engine:
    """Open a pool of connections that act as the given role.

    Waits for locks end after 2 s, statements after 5 s, idle transactions after 10 s.
    """
    options = (
        f"-c role={role} -c lock_timeout=2s -c statement_timeout=5s "
        "-c idle_in_transaction_session_timeout=10s -c timezone=UTC"
    )
    return create_engine(
        driver_url(url),
        pool_size=pool,
        max_overflow=0,
        pool_timeout=2,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={"options": options, "connect_timeout": 3, "application_name": role},
    )


def driver_url(url: str) -> str:
    """The address with the driver that we use."""
    return make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def migrate(url: str) -> None:
    """Bring the schema to the newest version."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = driver_url(url)
    command.upgrade(config, "head")
