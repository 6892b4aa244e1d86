"""Building models on DuckDB, inside whatever transaction its connection has open."""

from duckdb import DuckDBPyConnection

DIALECT = "duckdb"


class DuckDB:
    """One connection on which models are built. Names come from files of ours, never from a person."""

    dialect = DIALECT

    def __init__(self, connection: DuckDBPyConnection) -> None:
        self._connection = connection

    def fingerprints(self) -> dict[str, str]:
        """The models that were built, each with the fingerprint of the SQL behind it."""
        return dict(self._connection.execute("SELECT name, fingerprint FROM sync.model").fetchall())

    def build_view(self, name: str, query: str) -> None:
        """Define a model that is computed when it is read."""
        self._connection.execute(f"CREATE OR REPLACE VIEW {name} AS {query}")

    def build_table(self, name: str, query: str) -> int:
        """Compute a model whole; gives its number of rows."""
        self._connection.execute(f"CREATE OR REPLACE TABLE {name} AS {query}")
        counted = self._connection.execute(f"SELECT count(*) FROM {name}").fetchall()  # noqa: S608 - a model's own name
        return int(counted[0][0])

    def remember(self, name: str, fingerprint: str) -> None:
        """Keep the fingerprint of the SQL that a model was built from."""
        self._connection.execute("DELETE FROM sync.model WHERE name = ?", [name])
        self._connection.execute("INSERT INTO sync.model VALUES (?, ?)", [name, fingerprint])

    def drop(self, name: str) -> None:
        """Remove a model that is no longer one."""
        kinds = self._connection.execute(
            "SELECT table_type FROM information_schema.tables WHERE table_name = ?", [name]
        ).fetchall()
        for (kind,) in kinds:
            self._connection.execute(f"DROP {'VIEW' if kind == 'VIEW' else 'TABLE'} {name}")
        self._connection.execute("DELETE FROM sync.model WHERE name = ?", [name])
