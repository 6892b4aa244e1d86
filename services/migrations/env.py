"""How Alembic reaches the database: one transaction for the whole upgrade, one upgrade at a time."""

from alembic import context
from sqlalchemy import create_engine, text

from services.migrations import schema

UPGRADE_LOCK = 7_283_551_001

engine = create_engine(context.config.attributes["url"], hide_parameters=True)
with engine.connect() as connection:
    connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": UPGRADE_LOCK})
    connection.commit()
    context.configure(connection=connection, target_metadata=schema.metadata)
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
