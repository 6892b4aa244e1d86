"""The first schema: people, ledger, payments, marketplace, and the guards that the database keeps itself."""

from pathlib import Path

from alembic import op

revision = "2026_11_24_house"
down_revision = None

TABLES = Path(__file__).with_name("2026_11_24_tables.sql")
GUARDS = Path(__file__).with_name("2026_11_24_guards.sql")
EXPORTS = Path(__file__).with_name("2026_11_24_exports.sql")
DEFAULTS = Path(__file__).with_name("2026_11_24_defaults.sql")


def upgrade() -> None:
    """Create everything."""
    cursor = op.get_bind().connection.cursor()
    for script in (TABLES, GUARDS, EXPORTS, DEFAULTS):
        cursor.execute(script.read_text(encoding="utf-8"))
