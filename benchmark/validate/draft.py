"""The draft of a test split of one's own: a database's schema, and worked examples that run on it.

Promises: every example that is written was run and is healthy; no file is overwritten.
Does not: know what the data mean. Questions are drafted from names, for a person to write over.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from benchmark.errors import DatasetError, UsageError
from benchmark.files import line_of, write_atomically
from benchmark.health import Health
from benchmark.sqlengine.pool import Pool
from benchmark.sqlengine.protocol import Database, Limits
from benchmark.sqlengine.sandbox import Guarded, Stopped, engine_for
from benchmark.sqlengine.sandbox.rows import literal, quoted
from benchmark.sqlengine.sandbox.sqlite import schema_script
from benchmark.sqlengine.schema import Table, schema_of
from benchmark.types import Example
from benchmark.validate.items import check_examples

#: Different values that a column to group by has at most; seconds for one of our own queries.
_MOST_GROUPS, _SECONDS = 12, 20.0
_DUCKDB = (".duckdb", ".ddb")
COMMENT = (
    "A draft. Write each question as a user of this database would ask it, and as gold a query that answers it (a list "
    "of queries in 'golds' where several answers are right). Copy a line for each further item, with an id of its own. "
    "Ask for what the rows hold: a gold that returns nothing, or NULL, tells nothing. "
    "Then: sqlgauge validate jsonl:{file}"
)


class Draft(NamedTuple):
    """A question and its gold."""

    question: str
    gold: str


def draft_split(database: Path, out: Path) -> list[Health]:
    """Write a JSON-lines split about a SQLite or DuckDB file; the health of its examples.

    Raises UsageError for an `out` that is there, DatasetError for what is no database, or one without rows.
    """
    if out.exists():
        raise UsageError(f"{out} is there already", "Give another --out, or move it away.")
    dialect = "duckdb" if database.suffix.lower() in _DUCKDB else "sqlite"
    script, drafts = _look(database, dialect)
    examples = [
        Example(id=f"{database.stem}-{n}", question=draft.question, schema_sql=script, golds=(draft.gold,),
                dialect=dialect, group=database.stem, db=str(database.resolve()))
        for n, draft in enumerate(drafts, 1)
    ]  # fmt: skip
    with Pool(1) as pool:
        checked = list(zip(examples, check_examples(examples, pool), strict=True))
    kept = [(example, health) for example, health in checked if health.healthy]
    if not kept:
        raise DatasetError(
            f"no example could be drafted from {database}: {checked[0][1].reason if checked else 'no table has rows'}",
            "Put rows into it first: a gold that returns nothing tells nothing.",
        )
    out.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(out, b"".join(line_of(_row(example, out, n == 0)) for n, (example, _) in enumerate(kept)))
    return [health for _, health in kept]


def _row(example: Example, out: Path, is_first: bool) -> dict[str, str]:
    """An example as a line of the file, the database's path as seen from there."""
    comment = {"_comment": COMMENT.format(file=out)} if is_first else {}
    assert example.db is not None
    return comment | {
        "id": example.id,
        "question": example.question,
        "gold": example.golds[0],
        "dialect": example.dialect,
        "group": example.group,
        "db": Path(os.path.relpath(example.db, out.parent.resolve())).as_posix(),
        "schema_sql": example.schema_sql,
    }


def _look(database: Path, dialect: str) -> tuple[str, list[Draft]]:
    """A database's DDL, and drafts from its largest table. Raises DatasetError."""
    if not database.is_file():
        raise DatasetError(f"no such file: {database}", "Give the path of a SQLite or DuckDB database.")
    try:
        engine = engine_for(dialect)
        reader = engine.reader(engine.load(Database(path=str(database)), Limits()), Limits())
        script = schema_script(database) if dialect == "sqlite" else _duckdb_script(reader)
        return script, list(_drafts(reader, schema_of(script, dialect).tables.values()))
    except Stopped as stopped:
        raise DatasetError(f"{database} cannot be read: {stopped.detail}", "Give a database, not a script.") from None


def _duckdb_script(reader: Guarded) -> str:
    found = reader.run("SELECT sql FROM duckdb_tables() WHERE NOT internal ORDER BY table_oid", _SECONDS)
    return "\n".join(str(row[0]) for row in found.table.rows)


def _drafts(reader: Guarded, tables: Iterable[Table]) -> Iterator[Draft]:
    """A count, an aggregate and a filter, each over the largest table that allows it."""
    sizes = [(_size(reader, table), table) for table in tables]
    filled = [table for size, table in sorted(sizes, key=lambda pair: -pair[0]) if size]
    for table in filled[:1]:
        name = quoted(table.name)
        yield Draft(f"How many rows does the table {table.name} have?", f"SELECT COUNT(*) FROM {name}")  # noqa: S608
    groups = {table.name: _group(reader, table) for table in filled}
    measures = {table.name: _measure(table) for table in filled}
    both = [name for name in groups if groups[name] and measures[name]]
    for name in (both or [name for name in measures if measures[name]])[:1]:
        yield _aggregate(name, str(measures[name]), groups[name])
    for name in [name for name in groups if groups[name]][:1]:
        yield from _filter(reader, name, str(groups[name]))


def _aggregate(table: str, measure: str, group: str | None) -> Draft:
    name, column = quoted(table), quoted(measure)
    if group is None:
        return Draft(f"What is the highest {measure} in {table}?", f"SELECT MAX({column}) FROM {name}")  # noqa: S608
    by = quoted(group)
    return Draft(
        f"For each {group} in {table}, what is the average {measure}?",
        f"SELECT {by}, AVG({column}) FROM {name} GROUP BY {by}",  # noqa: S608
    )


def _filter(reader: Guarded, table: str, group: str) -> Iterator[Draft]:
    """A count of the rows with a column's commonest text."""
    name, by = quoted(table), quoted(group)
    rows = reader.run(f"SELECT {by} FROM {name} GROUP BY {by} ORDER BY COUNT(*) DESC, {by}", _SECONDS).table.rows  # noqa: S608
    common = next((row[0] for row in rows if isinstance(row[0], str)), None)
    if common is not None:
        yield Draft(
            f"How many rows of {table} have {common} as their {group}?",
            f"SELECT COUNT(*) FROM {name} WHERE {by} = {literal(common)}",  # noqa: S608
        )


def _size(reader: Guarded, table: Table) -> int:
    rows = reader.run(f"SELECT COUNT(*) FROM {quoted(table.name)}", _SECONDS).table.rows  # noqa: S608
    return int(rows[0][0] or 0)


def _measure(table: Table) -> str | None:
    """A column that holds numbers to compute with, and is no key."""
    keys = {name for key in table.uniques for name in key} | {
        name for key in table.foreign_keys for name in key.columns
    }
    numbers = (column.name for column in table.columns if column.kind in ("integer", "real"))
    return next((name for name in numbers if name.lower() not in keys and not name.lower().endswith("id")), None)


def _group(reader: Guarded, table: Table) -> str | None:
    """A column of texts with a few values, some of which several rows have."""
    for column in table.columns:
        name = quoted(column.name)
        sql = f"SELECT COUNT(DISTINCT {name}), COUNT({name}) FROM {quoted(table.name)}"  # noqa: S608
        different, filled = (int(cell or 0) for cell in reader.run(sql, _SECONDS).table.rows[0])
        if column.kind == "text" and 1 < different <= _MOST_GROUPS and different < filled:
            return column.name
    return None
