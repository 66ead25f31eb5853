"""How much of a database a prompt shows: all of its script, its DDL, its DDL with some rows, or a line a table.

Promises: the same example gives the same text; rows of a database file are read in a worker process through the guarded
reader, and those of an inline script off its INSERT statements, which are not run.
Does not: fit a text into a budget (`benchmark.fitting`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, cast

from benchmark.errors import DatasetError
from benchmark.sqlengine.parse import split_statements, table_columns
from benchmark.types import Example

if TYPE_CHECKING:
    from benchmark.sqlengine.results import Cell

#: Rows a table that `rows` shows unless it is told otherwise.
ROWS = 3
_INSERT = re.compile(r"\s*(?:insert|replace)\b", re.IGNORECASE)
#: White space and comments before a statement.
BEFORE = r"(?:\s|--[^\n]*\n|/\*.*?\*/)*"
INSERTS = re.compile(rf"{BEFORE}(?:insert|replace)\b", re.IGNORECASE | re.DOTALL)
_NAME = r'(?:"(?:[^"]|"")+"|`[^`]+`|\[[^\]]+\]|[\w$]+)'
#: An INSERT of literal rows up to the first of them: the table's name is its last part.
_HEAD = re.compile(
    rf"{BEFORE}(?:insert|replace)\b[^(]*?\binto\s+(?:{_NAME}\s*\.\s*)?(?P<table>{_NAME})\s*(?:\((?:{_NAME}|[\s,])*\)\s*)?values\s*",
    re.IGNORECASE | re.DOTALL,
)
_TOKEN = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|[(),]", re.DOTALL)
#: What may stand between two rows.
_BETWEEN = re.compile(r"(?:[\s,]|--[^\n]*|/\*.*?\*/)*", re.DOTALL)
_SECONDS = 20.0


def schema_in_full(schema_sql: str) -> str:
    """The whole script, rows included: what the seed notebook showed its model."""
    return schema_sql


@lru_cache(maxsize=4096)
def schema_ddl(schema_sql: str) -> str:
    """The script without its rows. A script that is nothing but rows stays as it is.

    >>> schema_ddl("CREATE TABLE t (a INT); INSERT INTO t VALUES (1);")
    'CREATE TABLE t (a INT);'
    """
    statements = [statement.text for statement in split_statements(schema_sql)]
    kept = [text for text in statements if not _INSERT.match(text)]
    return "\n".join(f"{text};" for text in kept) if kept else schema_sql


@lru_cache(maxsize=4096)
def schema_compact(schema_sql: str) -> str:
    """One line a table, `name(column, column)`; the DDL where a statement other than CREATE TABLE stands in it.

    >>> schema_compact("CREATE TABLE t (a INT PRIMARY KEY, b TEXT); INSERT INTO t VALUES (1, 'x');")
    't(a, b)'
    """
    ddl = schema_ddl(schema_sql)
    tables = [table_columns(statement.text) for statement in split_statements(ddl)]
    if not all(tables):
        return ddl
    return "\n".join(f"{name}({', '.join(columns)})" for name, columns in filter(None, tables))


@lru_cache(maxsize=4096)
def schema_rows(schema_sql: str, rows: int = ROWS) -> str:
    """The script with the first `rows` rows of each table; an INSERT that computes its rows is left out.

    >>> schema_rows("CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('x'), ('y;)'), ('z');", 2)
    "CREATE TABLE t (a TEXT);\\nINSERT INTO t VALUES ('x'), ('y;)');"
    """
    shown: Counter[str] = Counter()
    kept = []
    for text in (statement.text for statement in split_statements(schema_sql)):
        if not INSERTS.match(text):
            kept.append(text)
        elif (found := _first_rows(text, rows, shown)) is not None:
            kept.append(found)
    return "\n".join(f"{text};" for text in kept)


def _first_rows(insert: str, most: int, shown: Counter[str]) -> str | None:
    """An INSERT with what is left to show of its table, counted in `shown`; None where nothing is."""
    head = _HEAD.match(insert)
    if head is None:
        return None
    table = head["table"].strip('"`[]').lower()
    found = _tuples(insert[head.end() :])[: max(0, most - shown[table])]
    shown[table] += len(found)
    return head.group() + ", ".join(found) if found else None


def _tuples(text: str) -> list[str]:
    """The parenthesised rows at the start of a text, as they are written; what follows them, as RETURNING (a), is none.

    >>> _tuples("(1, ')'), -- it's one\\n (2, 'x') ON CONFLICT (id) DO NOTHING")
    ["(1, ')')", "(2, 'x')"]
    """
    found, depth, start, end = list[str](), 0, 0, 0
    for match in _TOKEN.finditer(text):
        if match.group() == "(":
            if depth == 0 and not _BETWEEN.fullmatch(text[end : match.start()]):
                break
            start = match.start() if depth == 0 else start
            depth += 1
        elif match.group() == ")":
            depth -= 1
            if depth == 0:
                end = match.end()
                found.append(text[start:end])
    return found


@lru_cache(maxsize=512)
def sampled_script(path: str, dialect: str, schema_sql: str, rows: int) -> str:
    """The DDL of a database file, each CREATE TABLE followed by the table's first rows as an INSERT.

    Raises DatasetError where the file cannot be read. Long cells are cut as everywhere in reports.
    """
    statements = [statement.text for statement in split_statements(schema_sql)]
    tables = {text: table_columns(text, dialect) for text in statements}
    wanted = {found[0]: found[1] for found in tables.values() if found is not None}
    inserts = _read_rows(path, dialect, wanted, rows) if rows and wanted else {}
    shown = []
    for text in statements:
        found = tables[text]
        shown += [f"{text};", inserts.get(found[0], "") if found is not None else ""]
    return "\n".join(filter(None, shown))


def _read_rows(path: str, dialect: str, tables: Mapping[str, tuple[str, ...]], rows: int) -> dict[str, str]:
    """The first rows of tables, as INSERT statements; a comment for a table that cannot be read.

    Raises DatasetError where none can.
    """
    from benchmark.sqlengine.pool import Pool
    from benchmark.sqlengine.protocol import Database, Job, Limits
    from benchmark.sqlengine.sandbox.rows import quoted

    queries = {
        name: f"SELECT {', '.join(map(quoted, columns))} FROM {quoted(name)} LIMIT {rows}"  # noqa: S608
        for name, columns in tables.items()
    }
    limits = Limits(floor_seconds=_SECONDS, preview_rows=rows)
    job = Job("rows", dialect, "read", Database(path=path), ["SELECT 1"], list(queries.values()), "strict", limits)
    with Pool(1) as pool:
        (reply,) = pool.run([job])
    problems = [one.detail for one in (reply.setup, *reply.predictions) if one.status != "ok"]
    if reply.setup.status != "ok" or len(problems) == len(tables):
        raise DatasetError(f"{path} cannot be read: {problems[0]}", "Check the file, or show no rows.")
    return {
        name: _insertion(name, columns, one.preview) if one.status == "ok" else "-- its rows cannot be read"
        for (name, columns), one in zip(tables.items(), reply.predictions, strict=True)
    }


def _insertion(table: str, columns: tuple[str, ...], rows: list[list[object]]) -> str:
    """Rows as one INSERT; nothing where there are none."""
    from benchmark.sqlengine.sandbox.rows import Filling, insertion

    cells = [tuple(cast("list[Cell]", row)) for row in rows]
    return f"{insertion(Filling(table, columns, cells))};" if cells else ""


#: How a script is shown, by name; `rows` takes the number of rows too, and reads database files (`shown_schema`).
SCHEMAS: dict[str, Callable[[str], str]] = {
    "ddl": schema_ddl,
    "compact": schema_compact,
    "full": schema_in_full,
    "rows": schema_rows,
}


def shown_schema(example: Example, schema: str = "ddl", rows: int = ROWS) -> str:
    """What a prompt shows of an example's database. Raises DatasetError where its file is to be read and cannot be."""
    if schema != "rows":
        return SCHEMAS[schema](example.schema_sql)
    if example.db is not None:
        return sampled_script(example.db, example.dialect, schema_ddl(example.schema_sql), rows)
    return schema_rows(example.schema_sql, rows)
