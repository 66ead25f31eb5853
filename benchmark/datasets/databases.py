"""What a database file says of itself: its DDL, whatever the dialect.

Promises: nothing in the file is run, and nothing in it is changed; each file is read once.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from benchmark.errors import DatasetError
from benchmark.sqlengine.protocol import Database, Limits
from benchmark.sqlengine.sandbox import Stopped, engine_for
from benchmark.sqlengine.sandbox.sqlite import schema_script

_SECONDS = 20.0
_CATALOG = "SELECT sql FROM duckdb_tables() WHERE NOT internal ORDER BY table_oid"


@lru_cache(maxsize=512)
def schema_of_file(path: Path, dialect: str) -> str:
    """The DDL of a database file as a script; empty for a dialect that is no file's. Raises DatasetError."""
    if dialect == "duckdb":
        return _duckdb_script(path)
    return schema_script(path) if dialect == "sqlite" else ""


def _duckdb_script(path: Path) -> str:
    try:
        engine = engine_for("duckdb")
        reader = engine.reader(engine.load(Database(path=str(path)), Limits()), Limits())
        try:
            rows = reader.run(_CATALOG, _SECONDS).table.rows
        finally:
            reader.close()
    except (Stopped, OSError) as error:
        raise DatasetError(f"{path} is no readable DuckDB database: {error}", "Check the file.") from None
    return "\n".join(str(row[0]) for row in rows)
